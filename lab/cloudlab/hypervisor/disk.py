"""A machine's disk: its own layer over the image, on a filesystem of the flavor's size.

The layer lives in a sparse file (disk.img, ext4, mounted by loop), so that a machine that fills its disk gets "No
space left on device" and the host stays well. What the machine deletes is given back to the host (discard).
The mounts are below /run, so that no walk through the state ever meets one.
"""

import os
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
        self.kept = self.file.with_name("disk-before-resize.img")
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

    # ---- a resize, which may be taken back: all of it while the machine is off

    def keep(self) -> None:
        """Keep a copy that `restore` goes back to. Taken anew: one of an earlier resize would be outdated."""
        self._wait_released()
        unfinished = self.kept.with_suffix(".new")
        run("cp", "--sparse=always", "--reflink=auto", self.file, unfinished)
        unfinished.rename(self.kept)

    def grow(self, gib: int) -> None:
        """Make disk and filesystem larger; never smaller."""
        self._wait_released()
        if self.file.stat().st_size >= gib << 30:
            return
        os.truncate(self.file, gib << 30)
        self._check("-f")  # resize2fs insists on it
        run("resize2fs", self.file)

    def restore(self) -> None:
        if self.kept.exists():
            self._wait_released()
            self.kept.rename(self.file)

    def forget(self) -> None:
        self.kept.unlink(missing_ok=True)

    # ---- in use

    def mount(self, image: str) -> None:
        """Mount the machine's root over an image (what overlayfs calls lowerdir).

        Mends the filesystem first, should the host have gone down over it.
        """
        if mounts_below(self.root):
            return
        if missing := [folder for folder in image.split(":") if not Path(folder).exists()]:
            raise LabError(f"the image {missing[0]} is gone; delete the server and create it anew")
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
        self._check()
        self.layer.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "ext4", "-o", "loop,noatime,discard,noinit_itable,data=writeback", self.file, self.layer)

    def _check(self, *options: str) -> None:
        checked = run("e2fsck", "-p", *options, self.file, check=False)
        if checked.returncode > CLEAN:
            raise LabError(f"{self.file} can't be mended by itself: {checked.stdout.strip()[-300:]}. "
                           f"Try `e2fsck -y {self.file}`, or delete the server")

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
