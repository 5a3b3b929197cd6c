"""The cache stays bounded: of each kind, only what was used last is kept."""

import os
import re
from pathlib import Path

from ..base.files import remove_tree
from ..settings import CACHE, IMAGE, RELEASES

KEPT = 4  # of each kind: two checkouts with services and tests
KINDS = ("image", "layer", "venv", "schema", *(name for name in RELEASES if name != IMAGE))
ENTRY = re.compile(rf"({'|'.join(KINDS)})-[0-9a-f]{{12}}(\.tar\.gz)?")


def use(*entries: Path) -> None:
    """Note that these are in use now."""
    for entry in entries:
        if entry.exists():
            os.utime(entry)


def superfluous(entries: list[tuple[str, float]], needed: str) -> list[str]:
    """Of (name, last use) the names to remove; `needed` is a text that names what must stay."""
    old = []
    for kind in KINDS:
        mine = sorted((e for e in entries if (m := ENTRY.fullmatch(e[0])) and m[1] == kind), key=lambda e: -e[1])
        old += [name for name, _ in mine[KEPT:] if name not in needed]
    return old


def prune(needed: list[str]) -> None:
    """Remove what was not used lately, unless it is `needed` (paths) or mounted."""
    if not CACHE.is_dir():
        return
    entries = [(entry.name, entry.stat().st_mtime) for entry in CACHE.iterdir()]
    mounts = Path("/proc/self/mountinfo").read_text()
    for name in superfluous(entries, "\n".join([*needed, mounts])):
        entry = CACHE / name
        entry.unlink() if entry.is_file() else remove_tree(entry)
