"""lab down: end and remove everything the lab has on the host, in whatever condition it is."""

from concurrent.futures import ThreadPoolExecutor

from .. import settings
from ..base import process
from ..base.files import mounts_below, remove_tree, unmount_below
from ..base.lock import exclusive
from ..base.progress import Progress, warn
from ..base.run import LabError
from ..hypervisor import host, network
from ..hypervisor.cgroups import Cgroup
from ..hypervisor.machine import Machine, all_machines
from ..services import catalog, mariadb
from .up import BUSY

HALT_SECONDS = 15  # what machines get to halt in an orderly way


def down(wipe: bool, quiet: bool) -> None:
    """Stop the lab; `wipe` also removes its state. Every step is tried, whatever became of the one before."""
    progress = Progress(quiet)
    failed = []

    def attempt(action, *argv):
        try:
            action(*argv)
        except (LabError, OSError) as error:
            failed.append(str(error))

    with exclusive(patient_message=BUSY):
        (settings.RUN / "ready").unlink(missing_ok=True)
        for service in catalog.SERVICES:
            if service is not catalog.AGENT:  # the rules hold while the machines halt
                attempt(process.stop, service.name, 0)  # stateless, and they sit out a SIGTERM
        with progress.step("machines off"), ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda m: attempt(_power_off, m, wipe), _all_known_machines()))
        attempt(process.stop, catalog.AGENT.name, 0)
        attempt(mariadb.stop, 0 if wipe else 20)
        with progress.step("host clean"):
            for step in (_remove_namespaces, _remove_legs, host.unguard, _remove_cgroups, _remove_run):
                attempt(step)
        if wipe:
            attempt(remove_tree, settings.STATE)
    for text in failed:
        warn(text)
    if failed:
        raise LabError("not everything could be removed; mend what is said above and run `down` again")


def _all_known_machines() -> list[Machine]:
    """By their folders and, should those be gone, by their control groups."""
    known = {machine.uuid: machine for machine in all_machines()}
    for folder in Cgroup("").folders()[:1]:
        if folder.is_dir():
            for group in folder.iterdir():
                if group.is_dir():
                    known.setdefault(group.name, Machine(group.name))
    return list(known.values())


def _power_off(machine: Machine, wipe: bool) -> None:
    machine.stop(grace=0 if wipe else HALT_SECONDS, keep_wanted=True)


def _remove_namespaces() -> None:
    for name in network.namespaces():
        network.remove_namespace(name)


def _remove_legs() -> None:
    for leg in host.legs():
        network.ip("link", "del", leg, check=False)


def _remove_cgroups() -> None:
    """Whatever still runs in one of our groups is ours: a half-started machine, for one."""
    group = Cgroup("")
    if not group.kill():
        raise LabError(f"processes {group.processes()} of the lab do not end even by SIGKILL")
    group.remove()


def _remove_run() -> None:
    unmount_below(settings.RUN)
    if left := mounts_below(settings.RUN):
        raise LabError(f"{left[0]} can't be unmounted; `fuser -m {left[0]}` shows who uses it")
    remove_tree(settings.RUN)
