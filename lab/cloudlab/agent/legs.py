"""The host's and the client's legs in the external networks. No other network ever gets one."""

import json
from ipaddress import ip_interface, ip_network

from .. import settings
from ..base.run import run
from ..hypervisor import network
from ..neutron.model import Cloud
from ..settings import CLIENT_NS, HYPERVISOR_NS, Project, Subnet


def project_of(cidrs: list[str]) -> Project | None:
    """Whose external network it is, by its prefixes; None for one that isn't the lab's own."""
    prefixes = {ip_network(cidr) for cidr in cidrs}
    return next((p for p in settings.PROJECTS if prefixes & {ip_network(s.cidr) for s in p.subnets}), None)


def ensure(external: dict[str, list[str]]) -> None:
    """Lay the legs of every external network of the lab (prefixes by network id)."""
    network.ensure_hypervisor()
    network.ensure_client()
    for network_id, cidrs in external.items():
        project = project_of(cidrs)
        if project:
            bridge = network.ensure_bridge(network_id)
            _leg(None, project.host_interface, bridge, project.subnets, lambda s: s.gateway)
            _leg(CLIENT_NS, project.client_interface, bridge, project.subnets, lambda s: s.client)


def _leg(ns: str | None, interface: str, bridge: str, subnets: tuple[Subnet, ...], address) -> None:
    """A cable from `interface` in `ns` (None: the host) to a bridge, with an address per subnet."""
    far = f"{interface}-b" if ns is None else f"client-{interface}-b"
    if not network.has_link(far, HYPERVISOR_NS):
        network.ip("link", "add", far, "netns", HYPERVISOR_NS, "type", "veth", "peer", "name", interface,
                   *(("netns", ns) if ns else ()))
    network.ip("link", "set", far, "master", bridge, "up", ns=HYPERVISOR_NS)
    prefix = network.in_namespace(ns) if ns else []
    # the machines are not to tell the host its routes
    run(*prefix, "sysctl", "-qw", f"net.ipv6.conf.{interface}.accept_ra=0")
    network.ip("link", "set", interface, "up", ns=ns)
    wanted = {str(ip_interface(f"{address(s)}/{ip_network(s.cidr).prefixlen}")) for s in subnets}
    shown = json.loads(network.ip("-j", "addr", "show", "dev", interface, "scope", "global", ns=ns).stdout)
    present = {f"{a['local']}/{a['prefixlen']}" for link in shown for a in link.get("addr_info", []) if "local" in a}
    for missing in sorted(wanted - present):
        network.ip("addr", "add", missing, "dev", interface, *(("nodad",) if ":" in missing else ()), ns=ns)
    for stray in sorted(present - wanted):
        network.ip("addr", "del", stray, "dev", interface, ns=ns)


def outdated(neighbours: list[tuple[str, str]], cloud: Cloud, own_macs: set[str]) -> list[str]:
    """Of (address, MAC) the addresses whose MAC is none that Neutron gives them.

    A fixed address belongs to its port's MACs. Any other (a VIP that moves) may be at any MAC there is.
    """
    known = set(own_macs)
    owners = {}
    for port in cloud.ports:
        macs = {port.mac, *(pair.mac for pair in port.pairs)}
        known |= macs
        for address in port.fixed_ips:
            owners.setdefault(address, set()).update(macs)
    return [address for address, mac in neighbours if mac not in owners.get(address, known)]


def forget_outdated_neighbours(cloud: Cloud) -> None:
    """A server made anew has its old address at a new MAC; without this, host and client take 10 s to notice."""
    places = [(None, p.host_interface) for p in settings.PROJECTS]
    places += [(CLIENT_NS, p.client_interface) for p in settings.PROJECTS]
    present = [(ns, interface) for ns, interface in places if network.has_link(interface, ns)]
    own = {json.loads(network.ip("-j", "link", "show", "dev", i, ns=ns).stdout)[0]["address"] for ns, i in present}
    for ns, interface in present:
        shown = json.loads(network.ip("-j", "neigh", "show", "dev", interface, ns=ns).stdout or "[]")
        learnt = [(entry["dst"], entry["lladdr"]) for entry in shown if "lladdr" in entry]
        for address in outdated(learnt, cloud, own):
            network.ip("neigh", "del", address, "dev", interface, ns=ns, check=False)


def remove_unused_bridges(network_ids: set[str]) -> None:
    """Bridges of networks that were deleted in Neutron."""
    wanted = {network.bridge_name(n) for n in network_ids}
    for bridge in network.links(HYPERVISOR_NS, "bridge"):
        if bridge.startswith("brq") and bridge not in wanted:
            network.ip("link", "del", bridge, ns=HYPERVISOR_NS, check=False)
