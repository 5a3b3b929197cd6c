"""The network part of the config drive."""

from cloudlab.nova.network_data import static_networks


def subnet(version=4, cidr="203.0.113.0/25", gateway="203.0.113.1", ips=("203.0.113.11",), routes=(), dns=()):
    return {"version": version, "cidr": cidr, "gateway": {"address": gateway} if gateway else {},
            "ips": [{"address": ip, "type": "fixed"} for ip in ips], "dns": [{"address": d} for d in dns],
            "routes": [{"cidr": c, "gateway": {"address": g}} for c, g in routes]}


def vif(*subnets, network="n1"):
    return {"network": {"id": network, "subnets": list(subnets)}}


V6 = {"version": 6, "cidr": "2001:db8:45::/48", "gateway": "2001:db8:45::1", "ips": ["2001:db8:45:1::1"]}
INTERNAL = {"cidr": "198.51.100.0/25", "gateway": "198.51.100.1", "ips": ["198.51.100.11"]}


def defaults(networks):
    return [(n["link"], r["network"], r["gateway"]) for n in networks for r in n["routes"]
            if r["network"] in ("0.0.0.0", "::")]


def test_both_families_of_a_port_are_static_with_a_default_route_each():
    found = static_networks([vif(subnet(), subnet(**V6))], ["eth"])
    assert [(n["type"], n["ip_address"], n["netmask"]) for n in found] == [
        ("ipv4", "203.0.113.11", "255.255.255.128"), ("ipv6", "2001:db8:45:1::1", "ffff:ffff:ffff::")]
    assert defaults(found) == [("eth", "0.0.0.0", "203.0.113.1"), ("eth", "::", "2001:db8:45::1")]


def test_default_route_only_on_the_first_port_that_has_one():
    found = static_networks([vif(subnet()), vif(subnet(**INTERNAL), network="n2")], ["one", "two"])
    assert defaults(found) == [("one", "0.0.0.0", "203.0.113.1")]
    assert found[1]["routes"] == []


def test_families_choose_their_port_by_themselves():
    found = static_networks([vif(subnet()), vif(subnet(**INTERNAL), subnet(**V6))], ["one", "two"])
    assert defaults(found) == [("one", "0.0.0.0", "203.0.113.1"), ("two", "::", "2001:db8:45::1")]


def test_internal_only_machine_takes_the_internal_gateway():
    assert defaults(static_networks([vif(subnet(**INTERNAL))], ["only"])) == [("only", "0.0.0.0", "198.51.100.1")]


def test_no_gateway_no_route():
    assert static_networks([vif(subnet(gateway=None))], ["eth"])[0]["routes"] == []


def test_second_address_of_a_subnet_brings_no_second_default_route():
    found = static_networks([vif(subnet(ips=("203.0.113.11", "203.0.113.12")))], ["eth"])
    assert [n["ip_address"] for n in found] == ["203.0.113.11", "203.0.113.12"]
    assert len(defaults(found)) == 1


def test_host_routes_and_name_servers_are_kept():
    one = subnet(gateway=None, routes=[("198.51.100.0/24", "203.0.113.2")], dns=["192.0.2.53"])
    (found,) = static_networks([vif(one)], ["eth"])
    assert found["routes"] == [{"network": "198.51.100.0", "netmask": "255.255.255.0", "gateway": "203.0.113.2"}]
    assert found["services"] == [{"type": "dns", "address": "192.0.2.53"}]


def test_addresses_that_are_not_fixed_are_left_out():
    other = subnet()
    other["ips"].append({"address": "192.0.2.9", "type": "floating"})
    assert [n["ip_address"] for n in static_networks([vif(other)], ["eth"])] == ["203.0.113.11"]
