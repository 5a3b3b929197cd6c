"""lab status: what runs."""

import json
from dataclasses import asdict

from .. import settings
from ..base import process
from ..hypervisor import host, network
from ..services import catalog, mariadb
from .servers import servers

UP, DOWN = 0, 3


def collect() -> dict:
    services = [{"name": mariadb.NAME, "up": catalog.database_up(), "pid": _pid(mariadb.NAME), "port": None}]
    for service in reversed(catalog.SERVICES):
        running = process.recall(service.name) is not None
        answers = running and (service.port is None or catalog.listens(service.port))
        services.append({"name": service.name, "up": answers, "pid": _pid(service.name), "port": service.port})
    legs = [{"interface": p.host_interface, "project": p.name, "up": p.host_interface in host.legs(),
             "addresses": [s.gateway for s in p.subnets]} for p in settings.PROJECTS]
    return {
        "up": all(s["up"] for s in services) and all(leg["up"] for leg in legs),
        "state": str(settings.STATE),
        "services": services,
        "legs": legs,
        "client": {"namespace": settings.CLIENT_NS, "up": settings.CLIENT_NS in network.namespaces(),
                   "addresses": [s.client for p in settings.PROJECTS for s in p.subnets]},
        "machines": [asdict(server) for server in servers()],
    }


def _pid(name: str) -> int | None:
    identity = process.recall(name)
    return identity.pid if identity else None


def status(as_json: bool) -> int:
    """Print the state; 0 when the lab is up, 3 when it is not."""
    found = collect()
    print(json.dumps(found, indent=1) if as_json else _table(found))
    return UP if found["up"] else DOWN


def _table(found: dict) -> str:
    word = {True: "up", False: "down"}
    rows = [("SERVICE", "STATE", "PID", "PORT")]
    rows += [(s["name"], word[s["up"]], s["pid"] or "", s["port"] or "") for s in found["services"]]
    legs = [("HOST LEG", "STATE", "PROJECT", "ADDRESSES")]
    legs += [(leg["interface"], word[leg["up"]], leg["project"], " ".join(leg["addresses"])) for leg in found["legs"]]
    legs.append((found["client"]["namespace"], word[found["client"]["up"]], "", " ".join(found["client"]["addresses"])))
    machines = [("MACHINE", "PROJECT", "ZONE", "NOVA", "MACHINE", "ADDRESSES")]
    machines += [(m["name"], m["project"], m["zone"], m["nova"], m["machine"], " ".join(m["addresses"]))
                 for m in found["machines"]]
    parts = [_columns(rows), _columns(legs), _columns(machines) if len(machines) > 1 else "no machines"]
    return "\n\n".join([*parts, f"the lab is {word[found['up']]}"])


def _columns(rows: list[tuple]) -> str:
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows)]
    return "\n".join("  ".join(str(c).ljust(w) for c, w in zip(row, widths)).rstrip() for row in rows)
