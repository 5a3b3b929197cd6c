"""Reads the model from Neutron's database.

The database and not the API: one cheap question tells whether anything changed, and port security keeps working
when the API is down.
"""

import pymysql
import pymysql.cursors

from ..settings import MYSQL_SOCKET
from .model import AddressPair, Cloud, Port, Rule

# Counts, maxima and checksums over everything the rules are made of. Neutron's revision numbers alone miss
# deletions of what has none (address pairs, bindings).
CHANGE_QUERY = """
select
 (select concat_ws('.', count(*), max(id), sum(revision_number)) from standardattributes),
 (select concat_ws('.', count(*), sum(crc32(concat(port_id, mac_address, ip_address)))) from allowedaddresspairs),
 (select concat_ws('.', count(*), sum(crc32(concat(port_id, security_group_id)))) from securitygroupportbindings),
 (select concat_ws('.', count(*), sum(crc32(concat(port_id, ip_address)))) from ipallocations),
 (select concat_ws('.', count(*), sum(crc32(concat(port_id, port_security_enabled)))) from portsecuritybindings),
 (select concat_ws('.', count(*), sum(crc32(concat(address_group_id, address)))) from address_associations),
 (select concat_ws('.', count(*), sum(crc32(concat_ws('.', id, device_id, device_owner, admin_state_up)))) from ports),
 (select count(*) from securitygrouprules),
 (select group_concat(network_id order by network_id) from externalnetworks)
"""


def connect():
    return pymysql.connect(unix_socket=str(MYSQL_SOCKET), user="root", database="neutron", autocommit=True,
                           cursorclass=pymysql.cursors.DictCursor)


def rows(db, query):
    with db.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def change_mark(db) -> tuple:
    """A value that differs whenever something the rules depend on has changed."""
    return tuple(rows(db, CHANGE_QUERY)[0].values())


def read_cloud(db) -> Cloud:
    ports = {
        row["id"]: Port(id=row["id"], mac=row["mac_address"].lower(), admin_up=bool(row["admin_state_up"]),
                        plugged=bool(row["device_id"]) and row["device_owner"].startswith("compute:"))
        for row in rows(db, "select id, mac_address, admin_state_up, device_id, device_owner from ports order by id")
    }

    def by_port(query):
        return ((ports[row["port_id"]], row) for row in rows(db, query) if row["port_id"] in ports)

    for port, row in by_port("select port_id, ip_address from ipallocations order by ip_address"):
        port.fixed_ips.append(row["ip_address"])
    for port, row in by_port("select port_id, mac_address, ip_address from allowedaddresspairs order by 1, 2, 3"):
        port.pairs.append(AddressPair(row["mac_address"].lower(), row["ip_address"]))
    for port, row in by_port("select port_id, port_security_enabled from portsecuritybindings"):
        port.secured = bool(row["port_security_enabled"])
    for port, row in by_port("select port_id, security_group_id from securitygroupportbindings order by 2"):
        port.groups.append(row["security_group_id"])

    cloud = Cloud(ports=list(ports.values()))
    for row in rows(db, "select * from securitygrouprules order by id"):
        cloud.rules.setdefault(row["security_group_id"], []).append(Rule(
            direction=row["direction"], ethertype=row["ethertype"], protocol=row["protocol"],
            port_min=row["port_range_min"], port_max=row["port_range_max"], remote_prefix=row["remote_ip_prefix"],
            remote_group=row["remote_group_id"], remote_address_group=row["remote_address_group_id"]))
    for row in rows(db, "select address_group_id, address from address_associations order by 1, 2"):
        cloud.address_groups.setdefault(row["address_group_id"], []).append(row["address"])
    cloud.stateless = {row["id"] for row in rows(db, "select id from securitygroups where stateful = 0")}
    return cloud


def external_networks(db) -> dict[str, list[str]]:
    """The subnets' prefixes of every external network, by network id."""
    found = {}
    for row in rows(db, "select s.network_id, s.cidr from externalnetworks e join subnets s using (network_id)"):
        found.setdefault(row["network_id"], []).append(row["cidr"])
    return found


def network_ids(db) -> set[str]:
    return {row["id"] for row in rows(db, "select id from networks")}
