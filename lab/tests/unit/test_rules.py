"""Security groups and port security as nft text."""

import re

import pytest

from cloudlab.neutron import rules
from cloudlab.neutron.apply import transaction
from cloudlab.neutron.model import AddressPair, Cloud, Port, Rule

MAC, OTHER_MAC = "fa:16:3e:00:00:01", "fa:16:3e:00:00:02"
PORT_ID = "11111111-2222-3333-4444-555555555555"
TAP = "tap11111111-22"
LINK_LOCAL = "fe80::f816:3eff:fe00:1"


def a_port(**changes):
    return Port(**{"id": PORT_ID, "mac": MAC, "fixed_ips": ["203.0.113.11", "2001:db8:45:1::1"],
                   "groups": ["g"], **changes})


def a_rule(**changes):
    return Rule(**{"direction": "ingress", "ethertype": "IPv4", **changes})


@pytest.mark.parametrize("rule, expected", [
    (a_rule(), "ether type ip"),
    (a_rule(ethertype="IPv6"), "ether type ip6"),
    (a_rule(protocol="tcp"), "ether type ip meta l4proto 6"),
    (a_rule(protocol="tcp", port_min=80, port_max=80), "ether type ip meta l4proto 6 th dport 80"),
    (a_rule(protocol="udp", port_min=1, port_max=9), "ether type ip meta l4proto 17 th dport 1-9"),
    (a_rule(protocol="tcp", port_min=None, port_max=9), "ether type ip meta l4proto 6 th dport 0-9"),
    (a_rule(protocol="vrrp", ethertype="IPv6"), "ether type ip6 meta l4proto 112"),
    (a_rule(protocol="112"), "ether type ip meta l4proto 112"),
    (a_rule(protocol="any"), "ether type ip"),
    (a_rule(protocol="icmp", port_min=8, port_max=0), "ether type ip meta l4proto 1 icmp type 8 icmp code 0"),
    # Neutron takes "icmp" for IPv6 as well, and means ICMPv6
    (a_rule(protocol="icmp", ethertype="IPv6"), "ether type ip6 meta l4proto 58"),
    (a_rule(protocol="ipv6-icmp", ethertype="IPv6", port_min=128),
     "ether type ip6 meta l4proto 58 icmpv6 type 128"),
    (a_rule(remote_prefix="198.51.100.0/24"), "ether type ip ip saddr 198.51.100.0/24"),
    (a_rule(direction="egress", remote_prefix="198.51.100.0/24"), "ether type ip ip daddr 198.51.100.0/24"),
    (a_rule(remote_prefix="0.0.0.0/0"), "ether type ip"),
    (a_rule(ethertype="IPv6", remote_prefix="::/0"), "ether type ip6"),
    (a_rule(remote_address_group="ag"), "ether type ip ip saddr { 192.0.2.0/24 }"),
])
def test_rule_match(rule, expected):
    assert rules.rule_match(rule, Cloud(address_groups={"ag": ["192.0.2.0/24", "2001:db8::/64"]})) == expected


def test_remote_group_is_its_members_addresses_and_pairs():
    members = [a_port(pairs=[AddressPair(MAC, "203.0.113.96/28")]),
               a_port(id="2", fixed_ips=["203.0.113.12"]), a_port(id="3", groups=["h"], fixed_ips=["203.0.113.99"])]
    match = rules.rule_match(a_rule(remote_group="g"), Cloud(ports=members))
    assert match == "ether type ip ip saddr { 203.0.113.11/32, 203.0.113.12/32, 203.0.113.96/28 }"


def test_remote_group_without_members_of_the_family_matches_nothing():
    assert rules.rule_match(a_rule(remote_group="nobody"), Cloud()) is None
    only_v4 = Cloud(ports=[a_port(fixed_ips=["203.0.113.11"])])
    assert rules.rule_match(a_rule(ethertype="IPv6", remote_group="g"), only_v4) is None


def test_identity_names_every_address_of_the_port_and_ends_in_drop():
    text = rules.identity(a_port(pairs=[AddressPair(MAC, "203.0.113.100"), AddressPair(MAC, "2001:db8:45:67bb::/64")]))
    assert text[0] == f"ether saddr != {{ {MAC} }} drop"
    assert text[-1] == "drop"
    arp = f"ether saddr {MAC} arp saddr ether {MAC} arp saddr ip {{ 203.0.113.11/32, 203.0.113.100/32 }} accept"
    assert arp in text
    advertisements = [line for line in text if "nd-neighbor-advert @th" in line]
    assert len(advertisements) == 3  # the fixed address, the pair's network, the link-local address
    assert any("@th,64,64 0x20010db8004567bb accept" in line for line in advertisements)
    assert any(LINK_LOCAL in line for line in text)


def test_pair_with_another_mac_binds_its_address_to_that_mac():
    text = rules.identity(a_port(pairs=[AddressPair(OTHER_MAC, "203.0.113.100")]))
    assert text[0] == f"ether saddr != {{ {MAC}, {OTHER_MAC} }} drop"
    (line,) = [line for line in text if line.startswith(f"ether saddr {OTHER_MAC} ip saddr {{")]
    assert "203.0.113.100/32" in line
    assert "203.0.113.11/32" not in line


def test_overlapping_addresses_are_merged():
    assert rules.by_family(["203.0.113.11", "203.0.113.0/24", "2001:db8::1", "2001:db8::/64"]) == (
        ["203.0.113.0/24"], ["2001:db8::/64"])


def test_router_advertisements_are_never_sent_by_a_machine():
    text = rules.identity(a_port())
    refusal = next(i for i, line in enumerate(text) if "nd-router-advert" in line and line.endswith("drop"))
    assert refusal < next(i for i, line in enumerate(text) if "goto" in line)


def test_accepted_flows_are_learnt_and_their_replies_known():
    cloud = Cloud(ports=[a_port()], rules={"g": [a_rule(protocol="tcp", port_min=80, port_max=80),
                                                 a_rule(direction="egress")]})
    chains = rules.port_chains(a_port(), cloud)
    assert "ether type ip meta l4proto 6 th dport 80 goto learn" in chains[f"i_{TAP}"]
    assert "ether type ip goto learn" in chains[f"s_{TAP}"]
    assert "jump known" in chains[f"i_{TAP}"]
    assert all(chain[-1] == "drop" for chain in chains.values())


def test_stateless_group_needs_a_rule_for_replies():
    cloud = Cloud(ports=[a_port()], rules={"g": [a_rule(protocol="tcp")]}, stateless={"g"})
    chains = rules.port_chains(a_port(), cloud)
    assert "ether type ip meta l4proto 6 accept" in chains[f"i_{TAP}"]
    assert not any("known" in line or "learn" in line for chain in chains.values() for line in chain)


def test_port_without_groups_gets_in_only_address_resolution_and_replies():
    accepting = [line for line in rules.port_chains(a_port(groups=[]), Cloud())[f"i_{TAP}"] if "goto learn" in line]
    assert accepting == []


@pytest.mark.parametrize("changes, verdict", [({"secured": False}, ["accept"]), ({"admin_up": False}, ["drop"]),
                                              ({"admin_up": False, "secured": False}, ["drop"])])
def test_switched_off(changes, verdict):
    assert rules.port_chains(a_port(**changes), Cloud()) == {f"o_{TAP}": verdict, f"i_{TAP}": verdict}


def test_unknown_taps_pass_nothing():
    text = rules.ruleset(Cloud(ports=[a_port(plugged=False)]))
    assert TAP not in text
    assert 'iifname "tap*" drop' in text
    assert 'oifname "tap*" drop' in text


def test_same_model_same_text():
    cloud = Cloud(ports=[a_port()], rules={"g": [a_rule()]})
    assert rules.ruleset(cloud) == rules.ruleset(cloud)


def test_transaction_removes_chains_before_what_they_refer_to():
    text = transaction("NEW\n", [f"s_{TAP}", f"i_{TAP}", f"o_{TAP}", "learn", "from_machine"])
    assert re.findall(r"delete chain bridge lab (\w)_", text) == ["o", "i", "s"]
    assert "learn" not in text
    assert text.index("flush") < text.index("delete") < text.index("NEW")
