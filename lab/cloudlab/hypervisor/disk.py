"""A machine's disk: its own layer over the image, on a filesystem of the flavor's size.

The layer lives in a sparse file (disk.img, ext4, mounted by loop), so that a machine that fills its disk gets "No
space left on device" and the host stays well. What the machine deletes is given back to the host (discard).
The mounts are below /run, so that no walk through the state ever meets one.
"""

import shutil
import tempfile
from pathlib import Path

from .. import settings
from ..base.files import mounts_below, unmount_below, write_private
from ..base.progress import wait_until
from ..base.run import LabError, run

CLEAN = 1  # e2fsck: errors were corrected, or there were none (0)


class Disk:
    def __init__(self, uuid: str):
        self.file = settings.MACHINES / uuid / "disk.img"
        self.layer = settings.RUN / "disks" / uuid  # the mounted file
        self.root = settings.RUN / "roots" / uuid  # the layer over the image: the machine's /

    def create(self, gib: int, files: list[tuple[str, str | bytes, int]]) -> None:
        """An empty disk with some files (absolute path, content, mode) laid over the image."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with open(self.file, "wb") as handle:
            self.file.chmod(0o600)
            handle.truncate(gib << 30)
        with tempfile.TemporaryDirectory(dir=settings.RUN) as stage:  # 0700: there may be secrets among the files
            upper = Path(stage) / "upper"
            upper.mkdir()
            for path, content, mode in files:
                write_private(upper / path.lstrip("/"), content, mode)
            run("mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=16", "-d", stage,
                "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", self.file)

    def mount(self, image: Path) -> None:
        """Mount the machine's root. Mends the filesystem first, should the host have gone down over it."""
        if mounts_below(self.root):
            return
        if not image.exists():
            raise LabError(f"the image {image} is gone; delete the server and create it anew")
        self._mount_layer()
        work = self.layer / "work"
        shutil.rmtree(work, ignore_errors=True)  # "volatile" leaves a mark there that refuses the next mount
        work.mkdir()
        self.root.mkdir(parents=True, exist_ok=True)
        # volatile: the machines' fsyncs cost nothing, and are worth nothing when the host loses its power
        run("mount", "-t", "overlay", "lab", "-o",
            f"lowerdir={image},upperdir={self.layer / 'upper'},workdir={work},volatile", self.root)

    def _mount_layer(self) -> None:
        if mounts_below(self.layer):
            return
        self._wait_released()
        checked = run("e2fsck", "-p", self.file, check=False)
        if checked.returncode > CLEAN:
            raise LabError(f"{self.file} can't be mended by itself: {checked.stdout.strip()[-300:]}. "
                           f"Try `e2fsck -y {self.file}`, or delete the server")
        self.layer.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "ext4", "-o", "loop,noatime,discard,noinit_itable,data=writeback", self.file, self.layer)

    def _wait_released(self) -> None:
        """Wait until the last mount is really gone.

        A machine that starts at the same moment takes a copy of all mounts into its namespace and drops it a little
        later; until then the unmounted filesystem lives on, and e2fsck would write into a living one.
        """
        def released():
            return not run("losetup", "--noheadings", "--associated", self.file).stdout.strip()

        try:
            wait_until(released, 20, "", interval=0.02)
        except TimeoutError:
            raise LabError(f"{self.file} is still in use; `losetup -j {self.file}` shows by what") from None

    def unmount(self) -> None:
        for point in (self.root, self.layer):
            unmount_below(point)
            if point.exists() and not mounts_below(point):
                point.rmdir()
