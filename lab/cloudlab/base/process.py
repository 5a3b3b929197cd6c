"""Processes that outlive the command that started them, remembered by identity.

A number in a pid file may belong to another process after a crash or a reboot. So a record holds the pid, the
process's start time in clock ticks since boot, and the boot's own id: the three together never come again.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ..settings import RUN
from .files import write_private
from .run import LabError

PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    pid: int
    started: int
    boot: str
    code: str = ""  # fingerprint of the code it runs


def boot_id() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def parse_stat(text: str) -> tuple[str, int]:
    """State letter and start time from the text of /proc/PID/stat (the name may hold blanks and brackets)."""
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def identify(pid: int, code: str = "") -> Identity | None:
    """Who `pid` is now; None when there is no such process or only its zombie."""
    try:
        state, started = parse_stat((PROC / str(pid) / "stat").read_text())
    except (OSError, ValueError, IndexError):
        return None
    return None if state in "ZX" else Identity(pid, started, boot_id(), code)


def is_alive(identity: Identity | None) -> bool:
    if identity is None:
        return False
    now = identify(identity.pid)
    return now is not None and (now.started, now.boot) == (identity.started, identity.boot)


def record_path(name: str) -> Path:
    return RUN / f"{name}.pid"


def recall(name: str) -> Identity | None:
    """The recorded process if it still runs, else None."""
    try:
        identity = Identity(**json.loads(record_path(name).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return identity if is_alive(identity) else None


def start(name: str, argv: list[str], log: Path, env: dict[str, str], code: str = "") -> Identity:
    """Start a detached process whose output is appended to `log`, and record it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as out, open(os.devnull, "rb") as nothing:
        os.fchmod(out.fileno(), 0o600)
        child = subprocess.Popen(
            [str(a) for a in argv], stdin=nothing, stdout=out, stderr=out, env=env, cwd="/", umask=0o022,
            start_new_session=True,
        )
    identity = identify(child.pid, code)
    if identity is None:
        raise LabError(f"{name} ended at once. Its last words are in {log}")
    write_private(record_path(name), json.dumps(asdict(identity)))
    return identity


def stop(name: str, grace: float) -> bool:
    """End the recorded process: SIGTERM, and SIGKILL when it still runs after `grace` seconds (0: at once).

    True when a process was running.
    """
    identity = recall(name)
    if identity:
        if grace:
            _signal(identity, signal.SIGTERM)
            wait_gone(identity, grace)
        _signal(identity, signal.SIGKILL)
        if not wait_gone(identity, 10):
            raise LabError(f"{name} does not end even by SIGKILL; look at /proc/{identity.pid}/stack")
    record_path(name).unlink(missing_ok=True)
    return identity is not None


def _signal(identity: Identity, number: int) -> None:
    if is_alive(identity):
        with contextlib.suppress(ProcessLookupError):
            os.kill(identity.pid, number)


def wait_gone(identity: Identity, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(identity):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
