"""What Neutron says, as far as port security needs it. Plain data."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rule:
    """A security group rule, as in Neutron's API. None: any."""

    direction: str  # ingress | egress
    ethertype: str  # IPv4 | IPv6
    protocol: str | None = None  # a name or a number
    port_min: int | None = None  # for ICMP: the type
    port_max: int | None = None  # for ICMP: the code
    remote_prefix: str | None = None
    remote_group: str | None = None
    remote_address_group: str | None = None


@dataclass(frozen=True)
class AddressPair:
    """What a port may send from besides its fixed addresses; `ip` may be a network."""

    mac: str
    ip: str


@dataclass
class Port:
    id: str
    mac: str
    fixed_ips: list[str] = field(default_factory=list)
    pairs: list[AddressPair] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    admin_up: bool = True
    secured: bool = True  # port_security_enabled
    plugged: bool = True  # it belongs to a server

    def addresses(self) -> list[str]:
        return self.fixed_ips + [pair.ip for pair in self.pairs]


@dataclass
class Cloud:
    """All ports and groups. `rules`: by group; `address_groups`: addresses by address group."""

    ports: list[Port] = field(default_factory=list)
    rules: dict[str, list[Rule]] = field(default_factory=dict)
    address_groups: dict[str, list[str]] = field(default_factory=dict)
    stateless: set[str] = field(default_factory=set)  # groups whose replies need a rule of their own

    def members(self, group: str) -> list[str]:
        """Every address of the ports in a group, allowed pairs included."""
        return [address for port in self.ports if group in port.groups for address in port.addresses()]
