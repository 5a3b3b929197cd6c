"""From the model to nftables: what each port may send, and what may reach it. Pure text, no side effects.

Per port there are three chains: `o_TAP` decides who the machine may claim to be (addresses, MACs, ARP, neighbour
advertisements), `s_TAP` what its groups let it send, `i_TAP` what its groups let in. The bridge family has no
connection tracking here, so an accepted packet writes the tuple of its reply into a set ("learn"), and whatever
matches such a tuple is let through ("known").
"""

from ipaddress import IPv6Address, collapse_addresses, ip_network

from ..hypervisor.network import tap_name
from .model import Cloud, Port, Rule

# The names Neutron's API takes, as numbers
PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "dccp": 33, "ipv6-encap": 41, "ipv6-route": 43,
    "ipv6-frag": 44, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "icmpv6": 58, "ipv6-nonxt": 59,
    "ipv6-opts": 60, "ospf": 89, "vrrp": 112, "pgm": 113, "sctp": 132, "udplite": 136,
}
ICMP, ICMPV6 = 1, 58

# Kept over every change of the rules: flows that were accepted go on. Room for ten minutes at 1700 new ones a second: when a
# set is full, a new flow is let through and its replies are not
SETS = """\
 set flows4 { type ipv4_addr . ipv4_addr . inet_proto . inet_service . inet_service; flags dynamic,timeout; timeout 10m; size 1048576; }
 set flows6 { type ipv6_addr . ipv6_addr . inet_proto . inet_service . inet_service; flags dynamic,timeout; timeout 10m; size 1048576; }
 set others4 { type ipv4_addr . ipv4_addr . inet_proto; flags dynamic,timeout; timeout 1m; size 65536; }
 set others6 { type ipv6_addr . ipv6_addr . inet_proto; flags dynamic,timeout; timeout 1m; size 65536; }
"""
LEARN = """\
 chain learn {
  ether type ip meta l4proto { tcp, udp } update @flows4 { ip daddr . ip saddr . ip protocol . th dport . th sport } accept
  ether type ip6 meta l4proto { tcp, udp } update @flows6 { ip6 daddr . ip6 saddr . meta l4proto . th dport . th sport } accept
  meta l4proto { tcp, udp } accept
  ether type ip update @others4 { ip daddr . ip saddr . ip protocol } accept
  ether type ip6 update @others6 { ip6 daddr . ip6 saddr . meta l4proto } accept
  accept
 }
"""
KNOWN = """\
 chain known {
  ether type ip meta l4proto { tcp, udp } ip saddr . ip daddr . ip protocol . th sport . th dport @flows4 accept
  ether type ip6 meta l4proto { tcp, udp } ip6 saddr . ip6 daddr . meta l4proto . th sport . th dport @flows6 accept
  icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
  icmp type echo-request return
  icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept
  icmpv6 type echo-request return
  ether type ip ip saddr . ip daddr . ip protocol @others4 accept
  ether type ip6 ip6 saddr . ip6 daddr . meta l4proto @others6 accept
 }
"""
MULTICAST_LISTENER = "130, 131, 132, 143"  # queries and reports, by ICMPv6 type
LATER_FRAGMENT = "ip frag-off & 0x1fff != 0 accept"  # it has no ports; without its first it is worth nothing


def ruleset(cloud: Cloud) -> str:
    """The whole table. A tap without a port of Neutron's passes nothing."""
    plugged = [port for port in cloud.ports if port.plugged]
    parts = [SETS, LEARN, KNOWN]
    parts += [_chain(name, lines) for port in plugged for name, lines in port_chains(port, cloud).items()]
    parts.append(_chain("from_machine", _dispatch(plugged, "iifname", "o"),
                        "type filter hook prerouting priority -200; policy accept;"))
    parts.append(_chain("to_machine", _dispatch(plugged, "oifname", "i"),
                        "type filter hook forward priority -200; policy accept;"))
    return "table bridge lab {\n" + "".join(parts) + "}\n"


def _dispatch(ports: list[Port], key: str, prefix: str) -> list[str]:
    taps = [tap_name(port.id) for port in ports]
    jumps = [f"{key} vmap {_set(f'{chr(34)}{tap}{chr(34)} : goto {prefix}_{tap}' for tap in taps)}"] if taps else []
    return [*jumps, f'{key} "tap*" drop']


def _chain(name: str, lines: list[str], hook: str = "") -> str:
    return f" chain {name} {{\n" + "".join(f"  {line}\n" for line in [hook, *lines] if line) + " }\n"


def port_chains(port: Port, cloud: Cloud) -> dict[str, list[str]]:
    """The port's chains by name, in an order in which none is used before it is defined."""
    tap = tap_name(port.id)
    if not port.admin_up or not port.secured:
        verdict = ["accept"] if port.admin_up else ["drop"]
        return {f"o_{tap}": verdict, f"i_{tap}": verdict}
    rules = [rule for group in port.groups for rule in cloud.rules.get(group, [])]
    stateless = any(group in cloud.stateless for group in port.groups)  # Neutron forbids a mixture
    replies = [] if stateless else ["jump known"]
    accept = " accept" if stateless else " goto learn"

    def by_direction(direction):
        matches = (rule_match(rule, cloud) for rule in rules if rule.direction == direction)
        return [match + accept for match in matches if match]

    return {
        f"s_{tap}": [*replies, LATER_FRAGMENT, *by_direction("egress"), "drop"],
        f"o_{tap}": identity(port),
        f"i_{tap}": [*delivery(port), *replies, LATER_FRAGMENT, *by_direction("ingress"), "drop"],
    }


def addresses_by_mac(port: Port) -> dict[str, list[str]]:
    allowed = {port.mac: list(port.fixed_ips)}
    for pair in port.pairs:
        allowed.setdefault(pair.mac, []).append(pair.ip)
    return allowed


def identity(port: Port) -> list[str]:
    """Who the machine may claim to be. Ends in the port's `s_` chain or in a drop."""
    allowed = addresses_by_mac(port)
    lines = [f"ether saddr != {_set(allowed)} drop"]
    for mac, addresses in allowed.items():
        here = f"ether saddr {mac} "
        v4, v6 = by_family([*addresses, link_local(mac)])
        if v4:
            lines.append(here + f"arp saddr ether {mac} arp saddr ip {_set(v4)} accept")
        lines.append(here + "ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept")
        # before it has an address: duplicate detection, router solicitation, multicast reports
        lines.append(here + f"ip6 saddr :: icmpv6 type {{ nd-neighbor-solicit, nd-router-solicit, {MULTICAST_LISTENER} }} accept")
        lines.append(here + "icmpv6 type { nd-router-advert, nd-redirect } drop")
        lines += [here + f"ip6 saddr {_set(v6)} icmpv6 type nd-neighbor-advert {_target(network)}accept" for network in v6]
        lines.append(here + "icmpv6 type nd-neighbor-advert drop")
        lines.append(here + f"ip6 saddr {_set(v6)} icmpv6 type {{ nd-neighbor-solicit, nd-router-solicit, {MULTICAST_LISTENER} }} accept")
        lines += [here + f"{family} saddr {_set(addresses)} goto s_{tap_name(port.id)}"
                  for family, addresses in (("ip", v4), ("ip6", v6)) if addresses]
    return [*lines, "drop"]


def delivery(port: Port) -> list[str]:
    """What reaches a machine whatever its groups say: address resolution; and never what is meant for others."""
    macs = _set(addresses_by_mac(port))
    return [
        f"ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 ether daddr != {macs} drop",
        "ether type arp accept",
        f"icmpv6 type {{ {MULTICAST_LISTENER}, nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert }} accept",
        "udp sport 67 udp dport 68 accept",
    ]


def rule_match(rule: Rule, cloud: Cloud) -> str | None:
    """A security group rule as nft matches; None when it can match nothing (an empty remote group)."""
    version = 4 if rule.ethertype == "IPv4" else 6
    family = "ip" if version == 4 else "ip6"
    words = [f"ether type {family}", *_protocol_match(rule, version)]
    side = "saddr" if rule.direction == "ingress" else "daddr"
    if rule.remote_prefix:
        if ip_network(rule.remote_prefix, strict=False).prefixlen:
            words.append(f"{family} {side} {rule.remote_prefix}")
    elif rule.remote_group or rule.remote_address_group:
        who = (cloud.members(rule.remote_group) if rule.remote_group
               else cloud.address_groups.get(rule.remote_address_group, []))
        who = by_family(who)[version == 6]
        if not who:
            return None
        words.append(f"{family} {side} {_set(who)}")
    return " ".join(words)


def _protocol_match(rule: Rule, version: int) -> list[str]:
    if rule.protocol in (None, "any", "0"):
        return []
    name = str(rule.protocol).lower()
    protocol = PROTOCOLS.get(name) or int(name)
    if version == 6 and protocol == ICMP:
        protocol = ICMPV6
    words = [f"meta l4proto {protocol}"]
    if protocol in (ICMP, ICMPV6):
        icmp = "icmp" if protocol == ICMP else "icmpv6"
        words += [f"{icmp} type {rule.port_min}"] if rule.port_min is not None else []
        words += [f"{icmp} code {rule.port_max}"] if rule.port_max is not None else []
    elif rule.port_min is not None or rule.port_max is not None:
        low = 0 if rule.port_min is None else rule.port_min
        high = 65535 if rule.port_max is None else rule.port_max
        words.append(f"th dport {low}" if low == high else f"th dport {low}-{high}")
    return words


def by_family(addresses) -> tuple[list[str], list[str]]:
    """IPv4 and IPv6 networks of a list, without overlaps (nft refuses them in a set)."""
    networks = [ip_network(address, strict=False) for address in addresses]
    v4, v6 = ([str(n) for n in collapse_addresses(n for n in networks if n.version == v)] for v in (4, 6))
    return v4, v6


def link_local(mac: str) -> str:
    """The IPv6 link-local address a machine makes from its MAC (EUI-64)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return str(IPv6Address(b"\xfe\x80" + bytes(6) + bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]))


def _target(network: str) -> str:
    """Matches a neighbour advertisement's target; nft 1.0.6 has no word for it, so by offset in the ICMPv6 header."""
    parsed = ip_network(network)
    if not parsed.prefixlen:
        return ""
    return f"@th,64,{parsed.prefixlen} {int(parsed.network_address) >> (128 - parsed.prefixlen):#x} "


def _set(items) -> str:
    return "{ " + ", ".join(items) + " }"
