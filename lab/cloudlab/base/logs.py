"""Bounded logs.

Writers keep their file open in append mode, so a log is bounded by moving its tail to NAME.1 and cutting the
file to nothing: the next write goes to its new end. Lines written between the two steps are lost.
"""

import contextlib
import os
import re
from pathlib import Path

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\r")


def bound(path: Path, limit: int) -> bool:
    """Cut `path` when it exceeds `limit` bytes, keeping its last `limit` bytes as NAME.1. True when it was cut."""
    try:
        if path.stat().st_size <= limit:
            return False
        with open(path, "r+b") as log:
            log.seek(-limit, os.SEEK_END)
            tail = log.read(limit)
            older = path.with_name(path.name + ".1")
            older.write_bytes(tail[tail.find(b"\n") + 1 :])
            older.chmod(0o600)
            log.truncate(0)
    except FileNotFoundError:
        return False
    return True


def tail(path: Path, size: int) -> str:
    """The last `size` bytes of a bounded log (with what was moved to NAME.1), without terminal escapes."""
    data = b""
    for file in (path.with_name(path.name + ".1"), path):
        with contextlib.suppress(FileNotFoundError):
            data += file.read_bytes()
    return _ESCAPES.sub("", data[-size:].decode(errors="replace"))
