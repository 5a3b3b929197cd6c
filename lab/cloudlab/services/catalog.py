"""The lab's services: what runs, in which order, and when it is ready."""

import socket
from dataclasses import dataclass
from functools import cache

from .. import settings
from ..base import process
from ..base.files import fingerprint
from ..base.progress import wait_until
from ..base.run import LabError, service_environment
from ..install import venv
from ..settings import CONFIG, LAB, LOGS
from . import config, mariadb


@dataclass(frozen=True)
class Service:
    """One process. `port`: where it listens on loopback; None for the agent, which doesn't."""

    name: str
    module: str
    arguments: tuple[str, ...]
    port: int | None = None

    @property
    def argv(self) -> list[str]:
        return [str(venv.python()), "-m", self.module, *self.arguments]

    @property
    def log(self):
        return LOGS / f"{self.name}.log"


def _api(name: str, module: str, threads: int) -> Service:
    port = settings.PORTS[name]
    return Service(name, "cloudlab.services.wsgi", (module, str(port), str(threads)), port)


KEYSTONE = _api("keystone", "keystone.wsgi.api", 8)
PLACEMENT = _api("placement", "placement.wsgi.api", 8)
GLANCE = _api("glance", "glance.wsgi.api", 4)
NEUTRON = _api("neutron", "neutron.wsgi.api", 16)
NOVA = Service("nova", "cloudlab.nova.all_in_one", (str(settings.PORTS["nova"]),), settings.PORTS["nova"])
AGENT = Service("agent", "cloudlab.agent.daemon", ())
# in the order in which they are stopped; MariaDB comes last
SERVICES = (NOVA, AGENT, NEUTRON, GLANCE, PLACEMENT, KEYSTONE)


@cache
def code_fingerprint() -> str:
    """Changes when the lab's code or configuration does: services of another fingerprint are started anew."""
    return fingerprint(LAB / "cloudlab", LAB / "requirements.txt", CONFIG, str(LAB))


def start(service: Service) -> None:
    """Start it unless it runs this very code."""
    current = process.recall(service.name)
    if current and current.code == code_fingerprint():
        return
    process.stop(service.name, 0)
    process.start(service.name, service.argv, service.log, service_environment(**config.environment()),
                  code_fingerprint())


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_ready(service: Service, seconds: float = 120) -> None:
    def ready():
        if not process.recall(service.name):
            raise LabError(f"{service.name} ended at its start. Its last words are in {service.log}")
        return listens(service.port)

    wait_until(ready, seconds, f"{service.name} on port {service.port} (see {service.log})")


def up(service: Service) -> bool:
    """Runs this code and answers."""
    current = process.recall(service.name)
    return bool(current) and current.code == code_fingerprint() and (service.port is None or listens(service.port))


def database_up() -> bool:
    return process.recall(mariadb.NAME) is not None
