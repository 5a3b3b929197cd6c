"""One action of Nova on a server, as the lab's admin: python -m cloudlab.services.server_action UUID ACTION."""

import sys

from keystoneauth1.exceptions import http

from ..base.progress import wait_until
from . import config
from .rest import Api

ACTIONS = {"start": {"os-start": None}, "stop": {"os-stop": None}, "reboot": {"reboot": {"type": "HARD"}}}
REACHED = {"start": "ACTIVE", "stop": "SHUTOFF"}
BUSY_SECONDS = 60


def act(nova: Api, uuid: str, action: str) -> None:
    """Have Nova do it, after whatever it is doing with the server: seeing a machine off, it stops its server itself."""

    def state() -> tuple[str, str | None]:
        server = nova.call("GET", f"/servers/{uuid}")["server"]
        return server["status"], server["OS-EXT-STS:task_state"]

    def accepted() -> bool:
        status, task = before = state()
        if task:
            return False
        if status == REACHED.get(action):
            return True
        try:
            nova.call("POST", f"/servers/{uuid}/action", json=ACTIONS[action])
        except http.Conflict:
            if state() == before:
                raise
            return False
        return True

    wait_until(accepted, BUSY_SECONDS, f"Nova to end what it does with server {uuid}")


if __name__ == "__main__":
    act(Api("compute", "admin", config.passwords()["admin"]), *sys.argv[1:])
