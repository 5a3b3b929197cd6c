"""The cloud's first content: python -m cloudlab.services.seed identity | cloud. Both may run again.

identity: projects, users, roles and the catalog. cloud: flavors, images, zones and the external networks.
"""

import sys

from .. import settings
from ..base.progress import wait_until
from ..install import image
from . import config
from .rest import Api

SERVICES = (
    ("glance", "image", ""),
    ("placement", "placement", ""),
    ("neutron", "network", ""),
    ("nova", "compute", "/v2.1"),
)


def identity(password: dict[str, str]) -> None:
    keystone = Api("identity", "admin", password["admin"])
    roles = {role["name"]: role["id"] for role in keystone.call("GET", "/roles")["roles"]}
    accounts = [("lab-service", "service", "service", ("admin", "service"))]
    accounts += [(p.name, p.name, p.name, ("member",)) for p in settings.PROJECTS]
    for user_name, project_name, secret, granted in accounts:
        project = keystone.ensure("/projects", "project", project_name, domain_id="default")
        user = keystone.ensure("/users", "user", user_name, domain_id="default", password=password[secret],
                               default_project_id=project["id"])
        for role in granted:
            keystone.call("PUT", f"/projects/{project['id']}/users/{user['id']}/roles/{roles[role]}")
    for name, kind, path in SERVICES:
        service = keystone.ensure("/services", "service", name, type=kind)
        endpoints = keystone.call("GET", "/endpoints", params={"service_id": service["id"]})["endpoints"]
        for interface in {"public", "internal", "admin"} - {e["interface"] for e in endpoints}:
            keystone.call("POST", "/endpoints", json={"endpoint": {
                "service_id": service["id"], "interface": interface, "region_id": settings.REGION,
                "url": f"http://127.0.0.1:{settings.PORTS[name]}{path}"}})


def cloud(password: dict[str, str]) -> None:
    keystone, neutron, nova, glance = (
        Api(kind, "admin", password["admin"], suffix)
        for kind, suffix in (("identity", ""), ("network", "/v2.0"), ("compute", ""), ("image", "/v2")))
    for project in settings.PROJECTS:
        owner = keystone.find("/projects", "projects", project.name)["id"]
        _external_network(neutron, project, owner)
    _flavors(nova)
    for name in settings.IMAGES:
        _image(glance, name)
    _zones(nova)


def _external_network(neutron: Api, project: settings.Project, owner: str) -> None:
    """The network a provider hands to a customer: external, owned by the customer's project, seen by no other."""
    net = neutron.find("/networks", "networks", settings.EXTERNAL_NETWORK, project_id=owner)
    if not net:
        net = neutron.call("POST", "/networks", json={"network": {
            "name": settings.EXTERNAL_NETWORK, "project_id": owner, "router:external": True}})["network"]
    # Neutron shows an external network to every project, unless told otherwise; and Nova's default policy lets a
    # member attach a server to one only if it is shared with the member's project.
    policies = neutron.call("GET", "/rbac-policies", params={"object_id": net["id"]})["rbac_policies"]
    for policy in policies:
        if policy["target_tenant"] == "*":
            neutron.call("PUT", f"/rbac-policies/{policy['id']}", json={"rbac_policy": {"target_tenant": owner}})
    if not any(policy["action"] == "access_as_shared" for policy in policies):
        neutron.call("POST", "/rbac-policies", json={"rbac_policy": {
            "object_type": "network", "object_id": net["id"], "action": "access_as_shared", "target_tenant": owner}})
    for subnet in project.subnets:
        if not neutron.find("/subnets", "subnets", subnet.name, network_id=net["id"]):
            neutron.call("POST", "/subnets", json={"subnet": {
                "name": subnet.name, "network_id": net["id"], "project_id": owner, "ip_version": subnet.version,
                "cidr": subnet.cidr, "gateway_ip": subnet.gateway, "enable_dhcp": False}})


def _flavors(nova: Api) -> None:
    present = {flavor["name"] for flavor in nova.call("GET", "/flavors")["flavors"]}
    for number, (name, vcpus, ram, disk) in enumerate(settings.FLAVORS, 1):
        if name not in present:
            nova.call("POST", "/flavors", json={"flavor": {
                "id": str(number), "name": name, "vcpus": vcpus, "ram": ram, "disk": disk}})


def _image(glance: Api, name: str) -> None:
    """Glance holds a token of the image; the machines' real root is in the lab's cache."""
    found = glance.find("/images", "images", name)
    if not found:
        found = glance.call("POST", "/images", json={
            "name": name, "disk_format": "raw", "container_format": "bare", "visibility": "public",
            "min_disk": 1, "os_distro": "debian", "os_version": name.split("-")[1]})
    if found["status"] == "queued":
        glance.call("PUT", f"/images/{found['id']}/file", data=image.token(name),
                    headers={"Content-Type": "application/octet-stream"})


def _zones(nova: Api) -> None:
    hosts = {host for hosts in settings.HYPERVISORS.values() for host in hosts}

    def registered():
        return hosts <= {h["hypervisor_hostname"] for h in nova.call("GET", "/os-hypervisors")["hypervisors"]}

    wait_until(registered, 60, "Nova's hypervisors to register")
    present = {a["name"]: a for a in nova.call("GET", "/os-aggregates")["aggregates"]}
    for zone, hypervisors in settings.HYPERVISORS.items():
        aggregate = present.get(zone) or nova.call("POST", "/os-aggregates", json={
            "aggregate": {"name": zone, "availability_zone": zone}})["aggregate"]
        for host in set(hypervisors) - set(aggregate.get("hosts", [])):
            nova.call("POST", f"/os-aggregates/{aggregate['id']}/action", json={"add_host": {"host": host}})


if __name__ == "__main__":
    {"identity": identity, "cloud": cloud}[sys.argv[1]](config.passwords())
