"""What a port may send and what reaches it: fixed addresses, allowed pairs, groups; both families.

A change in Neutron is in force within FOLLOWS seconds.
"""

import pytest
from conftest import PORT, command, eventually, fetch

from cloudlab import settings

FOLLOWS = 3  # seconds; about 1 is usual
CLIENT = {4: "203.0.113.254", 6: "2001:db8:46::c"}
VIP = {4: "203.0.113.232", 6: "2001:db8:46:ff::1"}
WIDE_PAIR = {4: "203.0.113.232/29", 6: "2001:db8:46:ff::/64"}
LENGTH = {4: 26, 6: 48}
families = pytest.mark.parametrize("version", [4, 6], ids=["IPv4", "IPv6"])


def hold(undo, machine, address, version):
    """Put an address on a machine for the length of the test."""
    nodad = " nodad" if version == 6 else ""
    change = f"dev eth0 {address}/{LENGTH[version]}"
    machine.run(f"ip addr add {change}{nodad}")
    undo(machine.run, f"ip addr del {change}", check=False)


def pings(machine, target, source):
    """True when the machine gets an answer to a ping from `source`."""
    return machine.run(f"ping -c 1 -W 1 -I {source} {target} >/dev/null", check=False) == 0


def forget_neighbours():
    command("ip", "-n", settings.CLIENT_NS, "neigh", "flush", "all")


@families
def test_vip_needs_its_pair(world, c, undo, version):
    vip = VIP[version]
    undo(world.set_pairs, c)
    hold(undo, c, vip, version)
    assert fetch(vip) is None
    world.set_pairs(c, vip)
    eventually(lambda: fetch(vip), c.name, FOLLOWS)
    world.set_pairs(c)
    forget_neighbours()
    eventually(lambda: fetch(vip), None, FOLLOWS)
    world.set_pairs(c, WIDE_PAIR[version])
    eventually(lambda: fetch(vip), c.name, FOLLOWS)


@families
def test_spoofed_source_is_refused(world, c, undo, version):
    stranger = {4: "203.0.113.248", 6: "2001:db8:46:f7::1"}[version]
    own = {4: "203.0.113.243", 6: "2001:db8:46:f3::1"}[version]
    assert pings(c, CLIENT[version], own)
    hold(undo, c, stranger, version)
    assert not pings(c, CLIENT[version], stranger)


@families
def test_neighbours_address_can_not_be_taken(world, a, c, undo, version):
    victim = {4: "203.0.113.241", 6: "2001:db8:46:f1::1"}[version]
    hold(undo, c, victim, version)
    forget_neighbours()
    eventually(lambda: fetch(victim), a.name, FOLLOWS)
    shown = command("ip", "-n", settings.CLIENT_NS, "neigh", "show", victim).stdout
    assert world.cloud.network.get_port(a.ports["external"]).mac_address in shown


def test_another_mac_is_refused(c, undo):
    mac = c.run("cat /sys/class/net/eth0/address")
    undo(c.run, f"ip link set eth0 address {mac}; ip neigh flush all")
    c.run("ip link set eth0 address 02:00:00:00:00:09")
    assert not pings(c, CLIENT[4], "203.0.113.243")
    c.run(f"ip link set eth0 address {mac}; ip neigh flush all")
    eventually(lambda: pings(c, CLIENT[4], "203.0.113.243"), True, FOLLOWS)


def test_port_security_off_lets_everything_pass(world, c, undo):
    port = c.ports["external"]
    hold(undo, c, "203.0.113.249", 4)
    undo(world.cloud.network.update_port, port, port_security_enabled=True, security_group_ids=[world.open.id])
    world.cloud.network.update_port(port, security_group_ids=[], allowed_address_pairs=[], port_security_enabled=False)
    eventually(lambda: pings(c, CLIENT[4], "203.0.113.249"), True, FOLLOWS)
    world.cloud.network.update_port(port, port_security_enabled=True, security_group_ids=[world.open.id])
    eventually(lambda: pings(c, CLIENT[4], "203.0.113.249"), False, FOLLOWS)


@families
def test_groups_decide_what_comes_in(world, c, undo, version):
    port, address = c.ports["external"], {4: "203.0.113.243", 6: "2001:db8:46:f3::1"}[version]
    undo(world.cloud.network.update_port, port, security_group_ids=[world.open.id])
    world.cloud.network.update_port(port, security_group_ids=[world.closed.id])
    eventually(lambda: fetch(address), None, FOLLOWS)
    assert pings(c, CLIENT[version], address)  # what it asks for comes back
    rule = world.rule(world.closed, f"IPv{version}", "tcp", PORT)
    undo(world.cloud.network.delete_security_group_rule, rule)
    eventually(lambda: fetch(address), c.name, FOLLOWS)
    world.cloud.network.delete_security_group_rule(rule)
    eventually(lambda: fetch(address), None, FOLLOWS)


def test_rule_for_a_prefix_or_a_group_admits_only_those(world, a, b, undo):
    port = b.ports["internal"]
    reach = "curl -s -m 1 http://198.51.100.142:8080/name"
    undo(world.cloud.network.update_port, port, security_group_ids=[world.open.id])
    world.cloud.network.update_port(port, security_group_ids=[world.closed.id])
    eventually(lambda: a.run(reach, check=False), 28, FOLLOWS)  # curl: timed out
    for remote, admitted in (
        ({"remote_ip_prefix": "198.51.100.150/32"}, False),
        ({"remote_group_id": world.open.id}, True),
        ({"remote_ip_prefix": "198.51.100.141/32"}, True),
        ({"remote_group_id": world.closed.id}, False),
    ):
        rule = world.rule(world.closed, "IPv4", "tcp", PORT, **remote)
        try:
            eventually(lambda wanted=admitted: (a.run(reach, check=False) == 0) is wanted, True, FOLLOWS)
        finally:
            world.cloud.network.delete_security_group_rule(rule)


def test_egress_rules_decide_what_goes_out(world, c, undo):
    group = world.group("no-egress", [("IPv4", "tcp", PORT)])
    undo(world.cloud.network.delete_security_group, group)
    undo(world.cloud.network.update_port, c.ports["external"], security_group_ids=[world.open.id])
    for rule in world.cloud.network.security_group_rules(security_group_id=group.id, direction="egress"):
        world.cloud.network.delete_security_group_rule(rule)
    world.cloud.network.update_port(c.ports["external"], security_group_ids=[group.id])
    eventually(lambda: pings(c, CLIENT[4], "203.0.113.243"), False, FOLLOWS)
    assert fetch("203.0.113.243") == c.name  # answers still leave


def test_second_family_added_to_a_living_port(world, b, undo):
    """The IPv6 rollout: a fixed IP added in Neutron, the address configured on the machine."""
    port = world.cloud.network.get_port(b.ports["external"])
    hold(undo, b, "2001:db8:46:f2::1", 6)
    assert fetch("2001:db8:46:f2::1") is None
    undo(world.cloud.network.update_port, port.id, fixed_ips=port.fixed_ips)
    world.cloud.network.update_port(port.id, fixed_ips=[
        *port.fixed_ips, {"subnet_id": world.subnets[6].id, "ip_address": "2001:db8:46:f2::1"}])
    eventually(lambda: fetch("2001:db8:46:f2::1"), b.name, FOLLOWS)
    assert fetch("203.0.113.242") == b.name




def test_server_made_anew_is_reached_at_once_at_its_old_address(world):
    """Host and client must not wait for their neighbour entry of the old MAC to expire (10 s)."""
    for _ in range(2):
        machine = world.boot("anew", "dc1", {4: "203.0.113.244"}, None)
        machine.wait_booted()
        for namespace in ("client", "host"):
            eventually(lambda n=namespace: fetch("203.0.113.244", namespace=n), machine.name, 5)
        world.remove("anew")


def test_full_size_packets_pass_in_both_families(c):
    for version, size in ((4, 1472), (6, 1452)):  # 1500 octets with the headers
        assert c.run(f"ping -c 1 -W 2 -M do -s {size} {CLIENT[version]} >/dev/null", check=False) == 0


def test_nft_parses_the_rules_and_refuses_broken_ones():
    def parses(text):
        # checks only, in a namespace of its own: no rule is touched
        return command("unshare", "--net", "nft", "--check", "-f", "-", text_in=text)

    text = settings.RULES_FILE.read_text()
    assert "goto learn" in text
    good = parses(text)
    assert good.returncode == 0, good.stderr
    assert parses(text.replace("goto learn", "goto nowhere")).returncode != 0
