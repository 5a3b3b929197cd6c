"""The machines' images: folders that are the lower layers of every machine's disk.

The first image is built by debootstrap, as are those of other Debian releases, when `lab.sh image` asks for one; each
other is a folder of files laid over the first.
"""

import hashlib
import shutil
from pathlib import Path

from ..base.files import fingerprint, remove_tree
from ..base.lock import exclusive
from ..base.run import LabError, run
from ..settings import CACHE, IMAGE, IMAGES, LAB, LAYERS, LOGS, RELEASES
from . import apt, cache

SOURCE = LAB / "image"
SOURCES = LAB / "layers"


def path(name: str = IMAGE) -> Path:
    """An image that debootstrap builds, the first unless named."""
    return CACHE / f"{'image' if name == IMAGE else name}-{fingerprint(SOURCE)}"


def layer(name: str) -> Path:
    """What another image lays over the first."""
    return CACHE / f"layer-{fingerprint(SOURCES / name, name)}"


def paths() -> list[Path]:
    """Every folder that the images consist of which are always there."""
    return [path(), *(layer(name) for name in LAYERS)]


def lower(name: str) -> str:
    """An image as overlayfs takes it (lowerdir): the upper layer first."""
    if name in LAYERS:
        return f"{layer(name)}:{path()}"
    if not path(name).exists():
        raise LabError(f"{name} is not built: lab.sh image {name}")
    return str(path(name))


def token(name: str) -> bytes:
    """What Glance holds in place of an image's content."""
    return f"the lab boots its own {name}\n".encode()


def by_checksum(checksum: str | None) -> str | None:
    """The image whose token has this MD5, as Glance gives it: a provider renames images when a newer one comes."""
    return next((n for n in IMAGES if hashlib.md5(token(n), usedforsecurity=False).hexdigest() == checksum), None)


def ensure() -> None:
    """Make the images that are not there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if all(folder.exists() for folder in paths()):
        return
    with exclusive(CACHE / "image.lock", "another checkout is building the image; waiting"):
        _make(path(), lambda target: _bootstrap(target, RELEASES[IMAGE]))
        for name in LAYERS:
            _make(layer(name), lambda target, source=SOURCES / name: _lay(source, target))


def ensure_release(name: str) -> None:
    """Build the image of another Debian release, unless it is there."""
    apt.ensure()
    for folder in (CACHE, LOGS):
        folder.mkdir(parents=True, exist_ok=True)
    with exclusive(CACHE / "image.lock", "another checkout is building the image; waiting"):
        _make(path(name), lambda target: _bootstrap(target, RELEASES[name]))
    cache.use(path(name))


def _make(target: Path, build) -> None:
    """Call `build` for the folder unless it is there. It gets its name only when it is complete."""
    if not target.exists():
        building = target.with_name(target.name + ".building")
        remove_tree(building)
        try:
            build(building)
        except BaseException:
            remove_tree(building)
            raise
        building.rename(target)


def _bootstrap(target: Path, suite: str) -> None:
    # In a mount namespace of its own: what the build mounts is gone with it, also after kill -9.
    built = run("unshare", "--mount", "--propagation", "private", "bash", SOURCE / "build.sh", target, suite)
    (LOGS / "image.log").write_text(built.stdout + built.stderr)


def _lay(source: Path, target: Path) -> None:
    shutil.copytree(source, target)
    run("chmod", "-R", "u=rwX,go=rX", target)  # a checkout's modes depend on its umask
