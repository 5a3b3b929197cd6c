"""Namespaces, bridges and cables: one namespace with a bridge per Neutron network, one namespace per machine."""

import json
import os
from dataclasses import dataclass

from ..base.run import CommandFailed, run
from ..settings import CLIENT_NS, HYPERVISOR_NS, PREFIX

# A tap without rules of its own passes nothing: so it is before the agent's first word, and for foreign taps.
CLOSED = """
table bridge lab {
  chain from_machine { type filter hook prerouting priority -200; policy accept; }
  chain to_machine { type filter hook forward priority -200; policy accept; }
}
flush chain bridge lab from_machine
flush chain bridge lab to_machine
add rule bridge lab from_machine iifname "tap*" drop
add rule bridge lab to_machine oifname "tap*" drop
"""


@dataclass(frozen=True)
class Nic:
    """A machine's network card as Nova asked for it."""

    port: str
    network: str
    mac: str


def bridge_name(network_id: str) -> str:
    return "brq" + network_id[:11]


def tap_name(port_id: str) -> str:
    return "tap" + port_id[:11]


def ip(*argv, ns: str | None = None, check: bool = True):
    """iproute2, in a namespace or on the host."""
    return run("ip", *(("-n", ns) if ns else ()), *argv, check=check)


def in_namespace(ns: str) -> list[str]:
    """The words that run a program in a namespace.

    Not `ip netns exec`: it takes a copy of all mounts with it, and a program that stays would keep a machine's
    disk mounted.
    """
    return ["nsenter", f"--net=/run/netns/{ns}"]


def namespaces() -> list[str]:
    """The lab's namespaces."""
    folder = "/run/netns"
    return sorted(n for n in os.listdir(folder) if n.startswith(PREFIX + "-")) if os.path.isdir(folder) else []


def has_namespace(ns: str) -> bool:
    """True for a live namespace; a leftover file from before a reboot is no namespace, and is removed."""
    path = f"/run/netns/{ns}"
    if not os.path.exists(path):
        return False
    if ip("link", "show", "dev", "lo", ns=ns, check=False).returncode == 0:
        return True
    remove_namespace(ns)
    return False


def ensure_namespace(ns: str) -> bool:
    """True when it had to be made."""
    if has_namespace(ns):
        return False
    try:
        ip("netns", "add", ns)
    except CommandFailed:
        if not has_namespace(ns):  # another process may have been quicker
            raise
        return False
    ip("link", "set", "lo", "up", ns=ns)
    return True


def remove_namespace(ns: str) -> None:
    """Remove a namespace, or the mere file that one left behind."""
    if ip("netns", "del", ns, check=False).returncode and os.path.exists(f"/run/netns/{ns}"):
        run("umount", "--lazy", f"/run/netns/{ns}", check=False)
        os.unlink(f"/run/netns/{ns}")


def has_link(name: str, ns: str | None = None) -> bool:
    return ip("link", "show", "dev", name, ns=ns, check=False).returncode == 0


def links(ns: str, kind: str) -> list[str]:
    """Names of a namespace's interfaces of one kind (bridge, veth)."""
    listed = ip("-j", "link", "show", "type", kind, ns=ns, check=False)
    return [link["ifname"] for link in json.loads(listed.stdout or "[]") if "ifname" in link]


def ensure_hypervisor() -> None:
    """The namespace of the bridges, closed until the agent opens it."""
    if ensure_namespace(HYPERVISOR_NS):
        # bridges forward for others and say nothing themselves
        run(*in_namespace(HYPERVISOR_NS), "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        run(*in_namespace(HYPERVISOR_NS), "nft", "-f", "-", text_in=CLOSED)


def ensure_client() -> None:
    if ensure_namespace(CLIENT_NS):
        run(*in_namespace(CLIENT_NS), "sysctl", "-qw", "net.ipv6.conf.all.accept_ra=0",
            "net.ipv6.conf.default.accept_ra=0")


def ensure_bridge(network_id: str) -> str:
    """The bridge of a Neutron network. No spanning tree, no snooping: a wire."""
    ensure_hypervisor()
    bridge = bridge_name(network_id)
    if not has_link(bridge, HYPERVISOR_NS):
        ip("link", "add", bridge, "type", "bridge", "forward_delay", "0", "stp_state", "0", "mcast_snooping", "0",
           ns=HYPERVISOR_NS, check=False)  # another machine of the network may be quicker
    ip("link", "set", bridge, "up", ns=HYPERVISOR_NS)
    return bridge


def plug(nic: Nic, index: int, machine_ns: str) -> None:
    """A cable from the machine's card ethN to its network's bridge."""
    bridge, tap = ensure_bridge(nic.network), tap_name(nic.port)
    if not has_link(tap, HYPERVISOR_NS):
        ip("link", "add", tap, "netns", HYPERVISOR_NS, "type", "veth",
           "peer", "name", f"eth{index}", "netns", machine_ns, "address", nic.mac)
    ip("link", "set", tap, "master", bridge, "up", ns=HYPERVISOR_NS)


def unplug(port_id: str) -> None:
    ip("link", "del", tap_name(port_id), ns=HYPERVISOR_NS, check=False)


def silence(port_id: str) -> None:
    """Take the cable off the bridge without the machine noticing, as a power cut would."""
    ip("link", "set", tap_name(port_id), "nomaster", ns=HYPERVISOR_NS, check=False)


def wire(machine_ns: str, nics: list[Nic]) -> None:
    """A fresh namespace with every card plugged: nothing of the last boot's rules, routes and settings stays."""
    unwire(machine_ns, nics)
    ensure_namespace(machine_ns)
    for index, nic in enumerate(nics):
        plug(nic, index, machine_ns)


def unwire(machine_ns: str, nics: list[Nic]) -> None:
    """Remove a machine's cables, then its namespace (the kernel would take its time over the cables)."""
    for nic in nics:
        unplug(nic.port)
    if os.path.exists(f"/run/netns/{machine_ns}"):
        remove_namespace(machine_ns)


def links_of_host() -> list[str]:
    listed = ip("-j", "link", "show", "type", "veth", check=False)
    return [link["ifname"] for link in json.loads(listed.stdout or "[]") if "ifname" in link]
