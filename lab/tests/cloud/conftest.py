"""A small world in project "test", as its plain member: two networks' worth of machines, removed at the end.

Everything is named labtest-*; leftovers of a run that was killed are removed before the next. The addresses are
203.0.113.232 to .250 and 2001:db8:46:f1:: and up, some of which a stack of the end-to-end tests would also use.
"""

import base64
import contextlib
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import openstack
import pytest

from cloudlab import settings

PREFIX = "labtest-"
LAB = str(settings.LAB / "lab.sh")
PORT = 8080  # a web server on every machine that answers with the machine's name
INTERNAL = "198.51.100.128/25"
INTERNAL_GATEWAY = "198.51.100.129"  # an address that no one holds: as a VIP before its cluster is there


def command(*argv, text_in=None, timeout=60):
    """Run a program; the CompletedProcess, whatever its exit status."""
    return subprocess.run(argv, input=text_in, capture_output=True, text=True, timeout=timeout)


def lab(*argv, timeout=120):
    """Run a command of lab.sh, which must succeed; what it printed."""
    done = command(LAB, *argv, timeout=timeout)
    assert done.returncode == 0, f"lab.sh {' '.join(argv)}: {done.stdout}{done.stderr}"
    return done.stdout


def eventually(probe, expected=True, seconds=10, every=0.1):
    """Poll until `probe()` equals `expected`; fails with what it was last. Returns the seconds it took."""
    began = time.monotonic()
    while True:
        got = probe()
        if got == expected:
            return time.monotonic() - began
        assert time.monotonic() - began < seconds, f"after {seconds} s still {got!r}, not {expected!r}"
        time.sleep(every)


def fetch(address, port=PORT, namespace="client", seconds=1):
    """The name of the machine that answers at an address, or None. From the client namespace or the host."""
    url = f"http://[{address}]:{port}/name" if ":" in address else f"http://{address}:{port}/name"
    curl = ["curl", "-gs", "-m", str(seconds), url]
    done = command(*([LAB, "client", *curl] if namespace == "client" else curl))
    return done.stdout.strip() if done.returncode == 0 else None


@dataclass
class Machine:
    """A server of the tests, with its ports by network name and the addresses they were given."""

    name: str
    id: str
    ports: dict[str, str]
    addresses: dict[str, str] = field(default_factory=dict)

    def run(self, script, check=True):
        """Run a script as root over `lab.sh ssh`; its standard output, or the exit status when not `check`."""
        done = command(LAB, "ssh", "--project", "test", self.name, script)
        if check:
            assert done.returncode == 0, f"{self.name}: {script}: {done.stdout}{done.stderr}"
            return done.stdout.strip()
        return done.returncode

    def boot(self):
        """What is different after each boot: pid 1's start time. None while the machine doesn't answer."""
        done = command(LAB, "ssh", "--project", "test", self.name, "cut -d ' ' -f 22 /proc/1/stat")
        return done.stdout.strip() if done.returncode == 0 else None

    def wait_rebooted(self, before, seconds=60):
        eventually(lambda: self.boot() not in (None, before), seconds=seconds, every=0.3)

    def booted(self):
        return self.run("test -e /run/cloud-init/result.json", check=False) == 0

    def wait_booted(self, seconds=60):
        eventually(self.booted, seconds=seconds, every=0.3)


class World:
    """The member's view of the cloud, and what the tests made in it."""

    def __init__(self, cloud, folder):
        self.cloud = cloud
        self.folder = folder
        self.machines: dict[str, Machine] = {}
        self.image = cloud.image.find_image("debian-12", ignore_missing=False)
        self.flavor = cloud.compute.find_flavor("m1.tiny", ignore_missing=False)
        self.external = cloud.network.find_network("external", ignore_missing=False)
        self.subnets = {s.ip_version: s for s in cloud.network.subnets(network_id=self.external.id)}

    def build(self):
        net = self.cloud.network
        for kind in ("user", "host"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / kind], check=True)
        self.cloud.compute.create_keypair(name=PREFIX + "key", public_key=(self.folder / "user.pub").read_text())
        self.internal = net.create_network(name=PREFIX + "internal")
        self.internal_subnet = net.create_subnet(
            name=PREFIX + "internal", network_id=self.internal.id, ip_version=4, cidr=INTERNAL,
            gateway_ip=INTERNAL_GATEWAY, enable_dhcp=False)
        self.open = self.group("open", [("IPv4", "tcp", 22), ("IPv6", "tcp", 22), ("IPv4", "tcp", PORT),
                                        ("IPv6", "tcp", PORT), ("IPv4", "icmp", None), ("IPv6", "ipv6-icmp", None)])
        self.closed = self.group("closed", [])
        self.apart = self.cloud.compute.create_server_group(name=PREFIX + "apart", policy="anti-affinity")
        plans = [
            ("a", "dc1", {4: "203.0.113.241", 6: "2001:db8:46:f1::1"}, "198.51.100.141"),
            ("b", "dc2", {4: "203.0.113.242"}, "198.51.100.142"),
            ("c", "dc3", {4: "203.0.113.243", 6: "2001:db8:46:f3::1"}, None),
        ]
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda plan: self.boot(*plan, group=self.apart.id), plans))
        for machine in self.machines.values():
            machine.wait_booted()

    def group(self, name, rules):
        made = self.cloud.network.create_security_group(name=PREFIX + name)
        for ethertype, protocol, port in rules:
            self.rule(made, ethertype, protocol, port)
        return made

    def rule(self, group, ethertype, protocol, port=None, **more):
        return self.cloud.network.create_security_group_rule(
            security_group_id=group.id, direction="ingress", ether_type=ethertype, protocol=protocol,
            port_range_min=port, port_range_max=port, **more)

    def external_port(self, name, addresses, group):
        return self.cloud.network.create_port(
            name=PREFIX + name, network_id=self.external.id, security_group_ids=[group.id],
            fixed_ips=[{"subnet_id": self.subnets[v].id, "ip_address": a} for v, a in addresses.items()])

    def boot(self, name, zone, external, internal, group=None, image=None, wait=True):
        """A machine with an external port of the given addresses by family, and an internal one if wanted."""
        ports = {"external": self.external_port(name, external, self.open).id}
        if internal:
            ports["internal"] = self.cloud.network.create_port(
                name=PREFIX + name + "-internal", network_id=self.internal.id, security_group_ids=[self.open.id],
                fixed_ips=[{"subnet_id": self.internal_subnet.id, "ip_address": internal}]).id
        server = self.cloud.compute.create_server(
            name=PREFIX + name, image_id=(image or self.image).id, flavor_id=self.flavor.id, availability_zone=zone,
            networks=[{"port": port} for port in ports.values()], key_name=PREFIX + "key", user_data=self.user_data(),
            **({"scheduler_hints": {"group": group}} if group else {}))
        machine = Machine(PREFIX + name, server.id, ports)
        self.machines[name] = machine
        if wait:
            self.cloud.compute.wait_for_server(server, interval=0.3, wait=90)
        return machine

    def remove(self, name):
        """Delete a machine and its ports; returns when they are gone."""
        machine = self.machines.pop(name)
        self.cloud.compute.delete_server(machine.id)
        eventually(lambda: machine.id in {s.id for s in self.cloud.compute.servers()}, False, 30, every=0.3)
        for port in machine.ports.values():
            self.cloud.network.delete_port(port)

    def user_data(self):
        service = (f"[Service]\nWorkingDirectory=/srv\nExecStart=/usr/bin/python3 -m http.server {PORT} --bind ::\n"
                   "[Install]\nWantedBy=multi-user.target\n")
        config = {
            "ssh_keys": {"ed25519_private": (self.folder / "host").read_text(),
                         "ed25519_public": (self.folder / "host.pub").read_text()},
            "write_files": [{"path": "/etc/systemd/system/name.service", "content": service}],
            "runcmd": ["hostname >/srv/name", "systemctl enable --now name.service"],
        }
        return base64.b64encode(f"#cloud-config\n{json.dumps(config)}".encode()).decode()

    def status(self, machine):
        return self.cloud.compute.get_server(machine.id).status

    def set_pairs(self, machine, *addresses):
        self.cloud.network.update_port(
            machine.ports["external"], allowed_address_pairs=[{"ip_address": a} for a in addresses])


def remove_everything(cloud):
    """Delete all that is named labtest-*, whatever state it is in."""
    def mine(items):
        return [item for item in items if (item.name or "").startswith(PREFIX)]

    servers = mine(cloud.compute.servers())
    for server in servers:
        cloud.compute.delete_server(server.id)
    for server in servers:
        cloud.compute.wait_for_delete(server, interval=0.3, wait=60)
    for port in mine(cloud.network.ports()):
        cloud.network.delete_port(port)
    for net in mine(cloud.network.networks()):
        cloud.network.delete_network(net)
    for group in mine(cloud.network.security_groups()):
        cloud.network.delete_security_group(group)
    for group in mine(cloud.compute.server_groups()):
        cloud.compute.delete_server_group(group)
    for key in mine(cloud.compute.keypairs()):
        cloud.compute.delete_keypair(key)


@pytest.fixture(scope="session")
def cloud():
    for variable in [v for v in os.environ if v.startswith("OS_")]:
        del os.environ[variable]
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(settings.CLOUDS_YAML)
    if command(LAB, "status").returncode:
        pytest.exit("the lab is down: start it with lab.sh up", returncode=2)
    return openstack.connect(cloud="lab-test")


@pytest.fixture(scope="session")
def world(cloud, tmp_path_factory):
    remove_everything(cloud)
    made = World(cloud, tmp_path_factory.mktemp("keys"))
    try:
        made.build()
        yield made
    finally:
        remove_everything(cloud)


@pytest.fixture
def a(world):
    return world.machines["a"]


@pytest.fixture
def b(world):
    return world.machines["b"]


@pytest.fixture
def c(world):
    return world.machines["c"]


@pytest.fixture
def undo():
    """Steps to take back after the test, the last first, also after a failure."""
    with contextlib.ExitStack() as stack:
        yield stack.callback
