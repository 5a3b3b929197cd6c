"""Ways into the lab: ssh, the client namespace, the console, the OpenStack client."""

import os
import sys

from .. import settings
from ..base.run import LabError
from ..hypervisor.machine import Machine
from ..hypervisor.network import has_namespace, in_namespace
from ..install import venv
from ..services import catalog
from .servers import find


def ssh(name: str, command: list[str], project: str | None) -> None:
    """Become ssh inside the machine's own namespace: neither its network nor its firewall is in the way."""
    server = find(name, project)
    machine = Machine(server.uuid)
    if not machine.init_pid():
        raise LabError(f"{name} is off; start it with `lab.sh power {name} on`")
    _become([
        *in_namespace(machine.ns), "ssh", "-i", str(settings.SSH_KEY), "-o", "IdentitiesOnly=yes",
        # the way ends in this machine's own namespace: there is nobody else to talk to
        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "GlobalKnownHostsFile=/dev/null",
        "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10", "root@127.0.0.1", *command,
    ])


def client(command: list[str]) -> None:
    """Become a command in the client namespace; a shell without one."""
    if not has_namespace(settings.CLIENT_NS):
        raise LabError("the lab is down; start it with `lab.sh up`")
    _become([*in_namespace(settings.CLIENT_NS), *(command or [os.environ.get("SHELL", "/bin/bash")])])


def console(name: str, project: str | None) -> None:
    sys.stdout.write(Machine(find(name, project).uuid).console())


def env(project: str) -> None:
    """Print the exports by which any OpenStack client finds the lab."""
    known = [p.name for p in settings.PROJECTS] + ["admin"]
    if project not in known:
        raise LabError(f"there is no project {project}; the lab has {', '.join(known)}")
    if not settings.CLOUDS_YAML.exists():
        raise LabError("the lab has no state yet; start it with `lab.sh up`")
    print(f"export OS_CLIENT_CONFIG_FILE={settings.CLOUDS_YAML}\nexport OS_CLOUD=lab-{project}")


def openstack(arguments: list[str]) -> None:
    """Become the OpenStack client, in project dev unless OS_CLOUD says otherwise."""
    if not catalog.database_up():
        raise LabError("the lab is down; start it with `lab.sh up`")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OS_") and k != "PYTHONPATH"}
    environment["OS_CLIENT_CONFIG_FILE"] = str(settings.CLOUDS_YAML)
    environment["OS_CLOUD"] = os.environ.get("OS_CLOUD") or f"lab-{settings.DEFAULT_PROJECT}"
    _become([str(venv.path() / "bin/openstack"), *arguments], environment)


def _become(argv: list[str], environment: dict[str, str] | None = None) -> None:
    sys.stdout.flush()
    try:
        os.execvpe(argv[0], argv, environment or os.environ)
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed; `lab.sh up` installs what the lab needs") from None
