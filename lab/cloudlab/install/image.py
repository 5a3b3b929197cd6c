"""The machines' image: one folder that is the lower layer of every machine's disk."""

from pathlib import Path

from ..base.files import fingerprint, remove_tree
from ..base.lock import exclusive
from ..base.run import run
from ..settings import CACHE, LAB, LOGS

SOURCE = LAB / "image"


def path() -> Path:
    return CACHE / f"image-{fingerprint(SOURCE)}"


def ensure() -> None:
    """Build the image unless it is there. It gets its name only when it is complete."""
    target = path()
    if target.exists():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    with exclusive(CACHE / "image.lock", "another checkout is building the image; waiting"):
        if target.exists():
            return
        building = target.with_name(target.name + ".building")
        remove_tree(building)
        try:
            # In a mount namespace of its own: what the build mounts is gone with it, also after kill -9.
            built = run("unshare", "--mount", "--propagation", "private", "bash", SOURCE / "build.sh", building)
            (LOGS / "image.log").write_text(built.stdout + built.stderr)
        except BaseException:
            remove_tree(building)
            raise
        building.rename(target)
