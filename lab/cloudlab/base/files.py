"""Files: private ones, and removing whole trees without following a mount."""

import hashlib
import os
import re
import shutil
from pathlib import Path

from .run import LabError, run


def write_private(path: Path, text: str | bytes, mode: int = 0o600) -> None:
    """Replace a file in one step; nobody else can read it at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
        os.fchmod(f.fileno(), mode)
    os.replace(temporary, path)


def parse_mounts(mountinfo: str, folder: str) -> list[str]:
    """Mount points at or below `folder`, the deepest first, from the text of /proc/self/mountinfo."""
    points = []
    for line in mountinfo.splitlines():
        point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), line.split(" ")[4])
        if point == folder or point.startswith(folder.rstrip("/") + "/"):
            points.append(point)
    return points[::-1]


def mounts_below(folder: Path) -> list[str]:
    return parse_mounts(Path("/proc/self/mountinfo").read_text(), str(folder))


def unmount_below(folder: Path) -> None:
    """Unmount everything at or below `folder`; lazily what is still busy."""
    for point in mounts_below(folder):
        if run("umount", point, check=False).returncode:
            run("umount", "--lazy", point, check=False)


def remove_tree(folder: Path) -> None:
    """Remove a folder. A /proc mounted in it would be walked into (kcore!), so mounts go first, or nothing goes."""
    if not folder.is_symlink() and folder.exists():
        unmount_below(folder)
        if left := mounts_below(folder):
            raise LabError(f"{left[0]} is still mounted; unmount it by hand and try again")
        shutil.rmtree(folder)


def fingerprint(*parts: Path | str) -> str:
    """Short hash of texts and files; a folder counts with all its files, names included."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            files = sorted(p for p in part.rglob("*") if p.is_file()) if part.is_dir() else [part]
            for file in files:
                if "__pycache__" not in file.parts:
                    digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
        else:
            digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:12]
