"""Names, addresses, ports and paths of the lab. Everything that is fixed is decided here."""

import os
from dataclasses import dataclass
from pathlib import Path

LAB = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("HA_CLUSTER_LAB_STATE") or "/var/lib/ha-cluster/lab")
CACHE = Path(os.environ.get("HA_CLUSTER_CACHE") or "/var/cache/ha-cluster")
# What does not outlive the host's boot: process records, sockets, mount points. One lab runs per host.
RUN = Path("/run/ha-cluster-lab")
LOCK = Path("/run/ha-cluster-lab.lock")

MACHINES = STATE / "machines"
LOGS = STATE / "log"
CONFIG = STATE / "etc"
CLOUDS_YAML = STATE / "clouds.yaml"
SSH_KEY = STATE / "ssh" / "id_ed25519"
MYSQL_SOCKET = RUN / "mysql.sock"
RULES_FILE = RUN / "rules.nft"  # the port security in force, written by the agent

# Kernel names. An interface name has at most 15 characters.
PREFIX = "ha-lab"
HYPERVISOR_NS = f"{PREFIX}-hv"
CLIENT_NS = f"{PREFIX}-client"
CGROUP = "ha-cluster-lab"
HOST_LEG_PREFIX = "halab-"
ROUTE_PROTOCOL = "201"  # marks our routes, so that `down` removes ours and no others
ROUTE_METRIC = "42000"
# Nothing for these ranges may ever leave the host; the legs' routes are more specific and win.
GUARDED_RANGES = ("203.0.113.128/25", "198.51.100.0/24", "2001:db8::/32")

PORTS = {"keystone": 25000, "placement": 28778, "nova": 28774, "glance": 29292, "neutron": 29696}
KEYSTONE_URL = f"http://127.0.0.1:{PORTS['keystone']}/v3"
REGION = "RegionOne"

# zone -> its hypervisors; dc1 has room for two servers that must not share one, dc4 is for moving to
HYPERVISORS = {
    "dc1": ("dc1-hv1", "dc1-hv2"), "dc2": ("dc2-hv1",), "dc3": ("dc3-hv1",), "dc4": ("dc4-hv1",),
}
IMAGE = "debian-12"
RELEASES = {IMAGE: "bookworm", "debian-13": "trixie"}  # all but the first are built when asked for
LAYERS = ("debian-12-next",)  # laid over the first: layers/NAME
IMAGES = (*RELEASES, *LAYERS)
# name, vCPUs, RAM in MiB, disk in GiB
FLAVORS = (("m1.tiny", 1, 512, 1), ("m1.small", 1, 2048, 10), ("m1.medium", 2, 4096, 20), ("m1.large", 4, 8192, 40))

SERVICE_LOG_LIMIT = 8 * 1024 * 1024  # bytes; twice that on disk with the older half
CONSOLE_LOG_LIMIT = 1024 * 1024  # bytes


@dataclass(frozen=True)
class Subnet:
    """One family of a project's external network. The host's leg holds `gateway`, the client namespace `client`."""

    name: str
    version: int
    cidr: str
    gateway: str
    client: str


@dataclass(frozen=True)
class Project:
    """A project with one member user of the same name, and the external network it owns."""

    name: str
    client_interface: str
    subnets: tuple[Subnet, ...]

    @property
    def host_interface(self) -> str:
        return HOST_LEG_PREFIX + self.name


EXTERNAL_NETWORK = "external"
PROJECTS = (
    Project("dev", "eth0", (
        Subnet("external-ipv4", 4, "203.0.113.128/26", "203.0.113.129", "203.0.113.190"),
        Subnet("external-ipv6", 6, "2001:db8:45::/48", "2001:db8:45::1", "2001:db8:45::c"),
    )),
    Project("test", "eth1", (
        Subnet("external-ipv4", 4, "203.0.113.192/26", "203.0.113.193", "203.0.113.254"),
        Subnet("external-ipv6", 6, "2001:db8:46::/48", "2001:db8:46::1", "2001:db8:46::c"),
    )),
)
DEFAULT_PROJECT = "dev"


def database_url(name: str) -> str:
    """SQLAlchemy URL of one of the lab's databases. Root without a password: the socket's folder is 0700."""
    return f"mysql+pymysql://root@localhost/{name}?unix_socket={MYSQL_SOCKET}&charset=utf8mb4"
