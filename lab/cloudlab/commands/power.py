"""lab power: pull the plug of a machine, or start it."""

from ..base.progress import wait_until
from ..base.run import LabError, run, service_environment
from ..hypervisor.machine import Machine
from ..install import venv
from .servers import Server, find

NOVA_SECONDS = 60


def power(name: str, action: str, project: str | None) -> None:
    """off: as a power cut, at once. on: through Nova. reset: off and on again, as far as Nova knows a hard reboot."""
    server = find(name, project)
    machine = Machine(server.uuid)
    if not machine.defined:
        raise LabError(f"{name} has no machine ({server.nova}); delete the server and create it anew")
    if action in ("off", "reset"):
        machine.cut_power()
    elif not machine.running():
        # it went off from inside, and Nova, which looks every sync_power_state_interval, would call it started already
        wait_until(lambda: find(server.uuid, None).nova != "active" or machine.running(), NOVA_SECONDS,
                   f"Nova to notice that {server.name} is off")
    _tell_nova(server, {"off": "stop", "on": "start", "reset": "reboot"}[action])


def _tell_nova(server: Server, action: str) -> None:
    """Have Nova take note; it waits until Nova shows the new state."""
    done = run(venv.python(), "-m", "cloudlab.services.server_action", server.uuid, action,
               env=service_environment(), check=False)
    if done.returncode:
        raise LabError(f"Nova did not {action} {server.name}: {done.stderr.strip()[-500:]}")
    wanted = "stopped" if action == "stop" else "active"
    wait_until(lambda: find(server.uuid, None).nova == wanted, NOVA_SECONDS, f"Nova to show {server.name} as {wanted}")
