"""One action of Nova on a server, as the lab's admin: python -m cloudlab.services.server_action UUID ACTION."""

import sys

from keystoneauth1.exceptions import http

from . import config
from .rest import Api

ACTIONS = {"start": {"os-start": None}, "stop": {"os-stop": None}, "reboot": {"reboot": {"type": "HARD"}}}


def main(uuid: str, action: str) -> None:
    nova = Api("compute", "admin", config.passwords()["admin"])
    try:
        nova.call("POST", f"/servers/{uuid}/action", json=ACTIONS[action])
    except http.Conflict:
        # Nova's own look at the machines may have been quicker: it is in that state already, or on the way
        server = nova.call("GET", f"/servers/{uuid}")["server"]
        reached = {"stop": ("SHUTOFF", "powering-off"), "start": ("ACTIVE", "powering-on")}.get(action, ())
        if server["status"] not in reached and server["OS-EXT-STS:task_state"] not in reached:
            raise


if __name__ == "__main__":
    main(*sys.argv[1:])
