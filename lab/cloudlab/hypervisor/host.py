"""What the lab lays on the host itself: guard routes and a forwarding ban. Legs are the agent's."""

import json
from ipaddress import ip_address, ip_network
from pathlib import Path

from ..base.run import LabError, run
from ..settings import GUARDED_RANGES, HOST_LEG_PREFIX, PREFIX, ROUTE_METRIC, ROUTE_PROTOCOL
from . import network

TABLE = PREFIX.replace("-", "_")
# The host may forward for others (containers, VPNs): never from or to the lab's machines.
NO_FORWARDING = f"""
table inet {TABLE} {{
  chain forward {{
    type filter hook forward priority -300; policy accept;
    iifname "{HOST_LEG_PREFIX}*" drop
    oifname "{HOST_LEG_PREFIX}*" drop
  }}
}}
"""


# Every machine's systemd holds some: with the kernel's default of 128, the 18th machine or so hangs in mid-boot.
INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_INSTANCES = 1024


def allow_many_machines() -> None:
    if int(INOTIFY_LIMIT.read_text()) < INOTIFY_INSTANCES:
        INOTIFY_LIMIT.write_text(f"{INOTIFY_INSTANCES}\n")


def guard() -> None:
    """Unreachable routes for the documentation ranges, so that nothing for them ever leaves the host."""
    for prefix in GUARDED_RANGES:
        family = "-6" if ":" in prefix else "-4"
        network.ip(family, "route", "replace", "unreachable", prefix, "metric", ROUTE_METRIC, "proto", ROUTE_PROTOCOL)
    run("nft", "-f", "-", text_in=f"table inet {TABLE}\ndelete table inet {TABLE}\n{NO_FORWARDING}")


def in_guarded_range(address: str) -> bool:
    parsed = ip_address(address.partition("%")[0])
    return any(parsed in network for network in map(ip_network, GUARDED_RANGES) if network.version == parsed.version)


def refuse_conflicts() -> None:
    """The host's own addresses must not lie in the ranges that the guard makes unreachable."""
    for link in json.loads(network.ip("-j", "addr", "show").stdout):
        for address in link.get("addr_info", []):
            if in_guarded_range(address.get("local", "::")) and not link["ifname"].startswith(HOST_LEG_PREFIX):
                raise LabError(f"{link['ifname']} of this host has the address {address['local']}, in a range the lab "
                               f"makes unreachable ({', '.join(GUARDED_RANGES)}); the lab can't run on this host")


def hidden_mirrors() -> list[str]:
    """The apt mirrors that can't be reached while the guard stands, as NAME (ADDRESS)."""
    sites = run("apt-get", "indextargets", "--format", "$(SITE)", check=False).stdout.split()
    names = {site.partition("//")[2].partition("/")[0].partition(":")[0] for site in sites}
    hidden = []
    for name in sorted(names - {""}):
        # a name server that doesn't answer must not hold up the lab
        found = run("timeout", "2", "getent", "ahosts", name, check=False).stdout
        addresses = {line.split()[0] for line in found.splitlines()}
        hidden += [f"{name} ({address})" for address in sorted(addresses) if in_guarded_range(address)]
    return hidden


def guarded() -> bool:
    shown = "".join(network.ip(f, "route", "show", "proto", ROUTE_PROTOCOL).stdout for f in ("-4", "-6"))
    return all(prefix in shown for prefix in GUARDED_RANGES)


def unguard() -> None:
    for family in ("-4", "-6"):
        network.ip(family, "route", "flush", "proto", ROUTE_PROTOCOL, check=False)
    run("nft", "delete", "table", "inet", TABLE, check=False)


def legs() -> list[str]:
    """The host's interfaces in the external networks."""
    return [link for link in network.links_of_host() if link.startswith(HOST_LEG_PREFIX)]
