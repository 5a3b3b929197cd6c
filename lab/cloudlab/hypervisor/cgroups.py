"""One control group per machine: it caps memory, pauses, and knows every process the machine has.

Works on cgroup v1 (one folder per controller) and on v2 (one tree).
"""

import contextlib
import os
import signal
import time
from pathlib import Path

from ..base.process import identify
from ..settings import CGROUP

ROOT = Path("/sys/fs/cgroup")
V1_CONTROLLERS = ("freezer", "systemd", "unified", "memory", "cpu", "cpuacct", "pids")


class Cgroup:
    """The group `name` below the lab's own; `name` "" is the lab's own."""

    def __init__(self, name: str, root: Path = ROOT):
        self.root = root
        self.name = f"{CGROUP}/{name}".rstrip("/")
        self.unified = (root / "cgroup.controllers").exists()

    def folders(self) -> list[Path]:
        if self.unified:
            return [self.root / self.name]
        return [self.root / c / self.name for c in V1_CONTROLLERS if (self.root / c / "cgroup.procs").exists()]

    def create(self, memory_mib: int | None = None) -> list[Path]:
        """Make the group and return the `cgroup.procs` files a process writes its pid to, to join it."""
        for folder in self.folders():
            if self.unified:
                folder.parent.mkdir(exist_ok=True)
                for parent in (self.root, folder.parent):
                    self._enable_controllers(parent)
            folder.mkdir(parents=True, exist_ok=True)
            self._prefer(folder.parent)
        if memory_mib:
            limit = "memory.max" if self.unified else "memory.limit_in_bytes"
            for folder in self.folders():
                if (folder / limit).exists():
                    (folder / limit).write_text(str(memory_mib * 1024 * 1024))
        return [folder / "cgroup.procs" for folder in self.folders()]

    @staticmethod
    def _enable_controllers(folder: Path) -> None:
        for controller in ("memory", "pids", "cpu"):
            # not on this host, or already managed by its init system
            with contextlib.suppress(OSError):
                (folder / "cgroup.subtree_control").write_text(f"+{controller}")

    @staticmethod
    def _prefer(folder: Path) -> None:
        """Let the lab's machines, all together, weigh as twenty sessions: others have hardware of their own."""
        for file, weight in (("cpu.shares", "20480"), ("cpu.weight", "2000")):
            with contextlib.suppress(OSError):
                if (folder / file).exists():
                    (folder / file).write_text(weight)

    def processes(self) -> list[int]:
        """Every live process of the group and of the groups below it."""
        found = set()
        for folder in self.folders()[:1]:
            for below, _, _ in os.walk(folder):  # groups go away meanwhile, which os.walk passes over
                with contextlib.suppress(OSError):
                    found.update(int(pid) for pid in (Path(below) / "cgroup.procs").read_text().split())
        return sorted(pid for pid in found if identify(pid))

    def frozen(self) -> bool:
        try:
            if self.unified:
                return "frozen 1" in (self.folders()[0] / "cgroup.events").read_text()
            return (self.folders()[0] / "freezer.state").read_text().strip() != "THAWED"
        except (OSError, IndexError):
            return False

    def freeze(self, on: bool) -> None:
        """Stop or continue every process; returns when it is so."""
        folder = self.folders()[0]
        file, value = ("cgroup.freeze", "1" if on else "0") if self.unified else (
            "freezer.state", "FROZEN" if on else "THAWED")
        try:
            (folder / file).write_text(value)
        except FileNotFoundError:
            return
        deadline = time.monotonic() + 5
        while self.frozen() != on and time.monotonic() < deadline:
            time.sleep(0.01)

    def kill(self, seconds: float = 10) -> bool:
        """SIGKILL to every process until none is left; False when some are after `seconds`."""
        deadline = time.monotonic() + seconds
        while pids := self.processes():
            if time.monotonic() > deadline:
                return False
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self.frozen():
                self.freeze(False)
            time.sleep(0.02)
        return True

    def remove(self, seconds: float = 2) -> None:
        """Remove the group and those below it; a group takes a moment to notice that it is empty."""
        deadline = time.monotonic() + seconds
        while True:
            for folder in self.folders():
                for below, _, _ in os.walk(folder, topdown=False):
                    with contextlib.suppress(OSError):
                        os.rmdir(below)
            if not any(folder.exists() for folder in self.folders()) or time.monotonic() > deadline:
                return
            time.sleep(0.05)
