"""What the lab's servers are, read from the databases (an answer also when the APIs are down)."""

from dataclasses import dataclass, field

from ..base.run import LabError
from ..hypervisor.machine import Machine, all_machines
from ..services import catalog, mariadb

QUERY = """
select i.uuid, i.display_name, p.name, coalesce(i.availability_zone, ''), i.vm_state, coalesce(i.task_state, '')
from (select * from nova.instances where deleted = 0
      union all select * from nova_cell0.instances where deleted = 0) i
left join keystone.project p on p.id = i.project_id
order by p.name, i.display_name
"""
ADDRESSES = """
select p.device_id, a.ip_address from neutron.ports p join neutron.ipallocations a on a.port_id = p.id
where p.device_owner like 'compute:%' order by p.device_id, locate(':', a.ip_address), a.ip_address
"""


@dataclass
class Server:
    uuid: str
    name: str
    project: str
    zone: str
    nova: str  # Nova's word for its state
    machine: str  # running | paused | off | none
    addresses: list[str] = field(default_factory=list)


def machine_state(machine: Machine) -> str:
    if not machine.defined:
        return "none"
    if not machine.running():
        return "off"
    return "paused" if machine.cgroup.frozen() else "running"


def servers() -> list[Server]:
    """All projects' servers; only the machines, without Nova's word, when the database is down."""
    if not catalog.database_up():
        return [Server(m.uuid, m.config.name, "?", m.config.compute_host.partition("-")[0], "?", machine_state(m))
                for m in all_machines() if m.defined]
    found = {}
    for uuid, name, project, zone, state, task in mariadb.sql(QUERY):
        found[uuid] = Server(uuid, name, project, zone, f"{state} ({task})" if task else state,
                             machine_state(Machine(uuid)))
    for uuid, address in mariadb.sql(ADDRESSES):
        if uuid in found:
            found[uuid].addresses.append(address)
    return list(found.values())


def find(name: str, project: str | None) -> Server:
    """The server of that name (or uuid); `project` decides when several projects have one (default: dev)."""
    candidates = [s for s in servers() if name in (s.name, s.uuid)]
    if project:
        candidates = [s for s in candidates if s.project in (project, "?")]
    elif len({s.project for s in candidates}) > 1:
        candidates = [s for s in candidates if s.project == "dev"]
    if not candidates:
        where = f" in project {project}" if project else ""
        raise LabError(f"there is no server {name}{where}; `lab.sh status` lists them")
    if len(candidates) > 1:
        raise LabError(f"{len(candidates)} servers are called {name}: name one by its id: "
                       + ", ".join(s.uuid for s in candidates))
    return candidates[0]
