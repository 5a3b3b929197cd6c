"""The network part of a machine's config drive (network_data.json), from what Nova knows of its ports.

Nova's own version is right but for three things: where a subnet has DHCP on it says so, and no DHCP server runs
here; it gives every port its gateway, and ifupdown fails on a second default route; and it lists what the machine
holds, of which some addresses may not be fixed ones.
"""

from ipaddress import ip_network

ANY = {4: ("0.0.0.0", "0.0.0.0"), 6: ("::", "::")}


def static_networks(vifs, link_ids):
    """The "networks" list: every fixed address static, a default route only on the first port that has one.

    vifs: Nova's network_info (a list of dict-like ports); link_ids: the ids of the "links", in the same order.
    """
    networks = []
    families_with_default = set()
    for vif, link in zip(vifs, link_ids):
        found_here = set()
        for subnet in vif["network"]["subnets"]:
            version = subnet["version"]
            gateway = (subnet.get("gateway") or {}).get("address")
            for address in subnet["ips"]:
                if address.get("type", "fixed") != "fixed":
                    continue
                routes = [_route(r["cidr"], r["gateway"]["address"]) for r in subnet.get("routes") or []]
                if gateway and version not in families_with_default and version not in found_here:
                    network, netmask = ANY[version]
                    routes.insert(0, {"network": network, "netmask": netmask, "gateway": gateway})
                    found_here.add(version)
                networks.append({
                    "id": f"network{len(networks)}",
                    "type": f"ipv{version}",
                    "link": link,
                    "ip_address": address["address"],
                    "netmask": str(ip_network(subnet["cidr"]).netmask),
                    "routes": routes,
                    "network_id": vif["network"]["id"],
                    "services": [{"type": "dns", "address": d["address"]} for d in subnet.get("dns") or []],
                })
        families_with_default |= found_here
    return networks


def _route(cidr, gateway):
    network = ip_network(str(cidr))
    return {"network": str(network.network_address), "netmask": str(network.netmask), "gateway": gateway}
