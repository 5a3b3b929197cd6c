"""lab fail: an action of Nova on a server that is to fail, once."""

from ..base.run import LabError
from ..hypervisor.machine import Machine
from .servers import find


def fail(name: str, action: str, project: str | None) -> None:
    server = find(name, project)
    machine = Machine(server.uuid)
    if not machine.defined:
        raise LabError(f"{name} has no machine ({server.nova})")
    machine.fail_next(action)
