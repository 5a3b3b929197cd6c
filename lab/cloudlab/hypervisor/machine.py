"""A machine: its definition, its disk and its power switch.

Folder of a machine (in the lab's state):
  conf.json    what Nova asked for
  disk.img     its disk (disk.py)
  on           there while the machine is meant to run
  console.log  what it prints
  fail-NAME    the next action of that name is to fail (lab.sh fail)
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .. import settings
from ..base import logs
from ..base.files import remove_tree, write_private
from ..base.lock import exclusive
from ..base.run import LabError, service_environment
from . import network
from .cgroups import Cgroup
from .disk import Disk
from .network import Nic

SUPERVISOR = Path(__file__).with_name("supervise.sh")
NSPAWN_FOLDERS = Path("/run/systemd/nspawn/propagate")  # nspawn leaves its own there when it is killed
HALT = signal.SIGRTMIN + 3  # systemd as pid 1: halt in an orderly way


@dataclass
class Config:
    """What Nova asked for. `memory_mib` caps the machine's memory."""

    name: str
    hostname: str
    instance_name: str
    project: str
    compute_host: str
    image: str  # the folders of its image, as overlayfs takes them
    memory_mib: int
    nics: list[Nic] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> "Config":
        data = json.loads(text)
        return cls(**{**data, "nics": [Nic(**nic) for nic in data["nics"]]})


class Machine:
    def __init__(self, uuid: str):
        self.uuid = uuid
        self.folder = settings.MACHINES / uuid
        self.disk = Disk(uuid)
        self.ns = f"{settings.PREFIX}-{uuid[:8]}"
        self.cgroup = Cgroup(uuid)
        self._conf, self._wanted = self.folder / "conf.json", self.folder / "on"

    @contextmanager
    def locked(self):
        """One change of power, disk or cables at a time; Nova and the commands are different processes."""
        with exclusive(settings.RUN / "locks" / self.uuid):
            yield

    # ---- definition

    @property
    def defined(self) -> bool:
        return self._conf.exists()

    @property
    def config(self) -> Config:
        return Config.parse(self._conf.read_text())

    def save(self, config: Config) -> None:
        write_private(self._conf, json.dumps(asdict(config), indent=1))

    def define(self, config: Config, disk_gib: int, files: list[tuple[str, str | bytes, int]]) -> None:
        """Make the machine, off: its disk with some files (absolute path, content, mode) laid over the image."""
        self.disk.create(disk_gib, files)
        self.save(config)

    @property
    def wanted(self) -> bool:
        """Meant to run: not powered off, neither by Nova nor from inside."""
        return self._wanted.exists()

    # ---- power

    def running(self) -> bool:
        return bool(self.cgroup.processes())

    def init_pid(self) -> int | None:
        """The machine's pid 1, by the host's count, once it is systemd (before that it is nspawn, setting up)."""
        for pid in self.cgroup.processes():
            try:
                status = Path(f"/proc/{pid}/status").read_text()
                program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
            except OSError:
                continue
            numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
            if program == "systemd" and len(numbers) == 2 and numbers[1] == "1":
                return pid
        return None

    def start(self) -> None:
        """Power on; returns when the machine's pid 1 runs."""
        with self.locked():
            if self.running():
                return
            config = self.config
            network.ensure_hypervisor()
            self.disk.mount(config.image)
            joins = self.cgroup.create(config.memory_mib)
            env = service_environment(
                LAB_CGROUPS=" ".join(map(str, joins)),
                LAB_WIRE=f"{sys.executable} -m cloudlab.hypervisor wire",
            )
            with open(self.folder / "console.log", "ab") as console:
                os.fchmod(console.fileno(), 0o600)
                supervisor = subprocess.Popen(
                    ["bash", SUPERVISOR, self.uuid, self.folder, self.disk.root, self.ns, config.hostname],
                    stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=env, cwd="/", start_new_session=True,
                    umask=0o022,
                )
            self._wanted.touch()
            self._wait(lambda: self.init_pid() or supervisor.poll() is not None, 20)
            if not self.init_pid():
                self._kill()
                self._release()
                raise LabError(f"{config.name} did not start: {self.console()[-500:]}")

    def stop(self, grace: float = 0, keep_wanted: bool = False) -> None:
        """Power off: an orderly halt if it comes within `grace` seconds, else at once. The disk stays.

        `keep_wanted`: the next `lab up` starts it again if it ran.
        """
        if self.cgroup.frozen():
            self.cgroup.freeze(False)
        with self.locked():
            wanted = self.wanted
            if grace and (init := self.init_pid()):
                with suppress(ProcessLookupError):
                    os.kill(init, HALT)
                self._wait(lambda: not self.running(), grace)
            self._kill()
            self._wanted.unlink(missing_ok=True)
            if wanted and keep_wanted:
                self._wanted.touch()
            self._release()

    def cut_power(self) -> None:
        """As if the plug were pulled: not one more packet leaves, nothing inside gets a say."""
        with self.locked():
            self.cgroup.freeze(True)
            for nic in self.config.nics:
                network.silence(nic.port)
            self._kill()
            self._wanted.unlink(missing_ok=True)
            self._release()

    def _kill(self) -> None:
        if not self.cgroup.kill():
            raise LabError(f"machine {self.uuid}: processes {self.cgroup.processes()} do not end even by SIGKILL")

    def _release(self) -> None:
        """Give back what a machine that is off has no use for."""
        self.disk.unmount()
        remove_tree(NSPAWN_FOLDERS / f"lab-{self.uuid[:8]}")
        network.unwire(self.ns, self.config.nics if self.defined else [])
        self.cgroup.remove()

    def guest_reboot(self, seconds: float = 30) -> bool:
        """Reboot from inside (Ctrl-Alt-Del); True when a new pid 1 runs."""
        before = self.init_pid()
        if not before:
            return False
        os.kill(before, signal.SIGINT)
        return bool(self._wait(lambda: self.init_pid() not in (None, before), seconds))

    # ---- a resize

    def keep_disk(self) -> None:
        """Keep the disk as it is, for `undo_resize`; the machine is off."""
        with self.locked():
            self.disk.keep()

    def resize(self, memory_mib: int, disk_gib: int) -> None:
        """Other limits; the machine is off."""
        with self.locked():
            self.disk.grow(disk_gib)
            self._cap(memory_mib)
            if self._failure("resize").exists():
                self._failure("resize").unlink()
                raise LabError(f"the resize of {self.config.name} fails because `lab.sh fail` asked for it")

    def undo_resize(self, memory_mib: int) -> None:
        """Off, with the disk and the memory of before."""
        self.stop()
        with self.locked():
            self.disk.restore()
            self._cap(memory_mib)

    def end_resize(self) -> None:
        self.disk.forget()

    def fail_next(self, action: str) -> None:
        self._failure(action).touch()

    def _cap(self, memory_mib: int) -> None:
        config = self.config
        config.memory_mib = memory_mib
        self.save(config)

    def _failure(self, action: str) -> Path:
        return self.folder / f"fail-{action}"

    def destroy(self) -> None:
        """Off, and no trace left."""
        self.stop()
        remove_tree(self.folder)
        (settings.RUN / "locks" / self.uuid).unlink(missing_ok=True)

    def console(self, size: int = 200_000) -> str:
        return logs.tail(self.folder / "console.log", size)

    @staticmethod
    def _wait(condition, seconds: float):
        deadline = time.monotonic() + seconds
        while not (value := condition()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return value


def all_machines() -> list[Machine]:
    """Every machine with a folder, even a half-made one."""
    if not settings.MACHINES.is_dir():
        return []
    return [Machine(uuid) for uuid in sorted(os.listdir(settings.MACHINES))]
