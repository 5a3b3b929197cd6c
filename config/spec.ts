/** What a valid stack file says, with every default filled in and every address in canonical form. */
export interface Spec {
  /** Prefix of the names that servers and networks have in the cloud; the stack's first name unless said otherwise. */
  customer: string;
  /** What can't be renamed is called after it for life: server groups, the key pair, the Galera cluster. */
  clusterName: string;
  machines: Machines;
  /** By slot. Three; two only with {@link quorumRisk}. */
  datacenters: Datacenter[];
  /** Who accepted, for the customer, that two datacenters have no quorum, and when. */
  quorumRisk?: { acceptedBy: string; on: string };
  external: External;
  internal: Internal;
  /** The primary first, the others by name. */
  vips: Vip[];
  /** Sorted by name. */
  services: Service[];
  /** Sorted by name. Private keys are in {@link Secrets}. */
  certificates: Certificate[];
  loadBalancers: {
    flavor: PerDatacenter<string>;
    image: string;
    /** Versions as Debian writes them; without one, what is installed stays, and what is missing comes as the archive has it. */
    packages: { haproxy?: string; keepalived?: string };
  };
  /** Sorted by name. */
  appServers: AppServers[];
  database: Database;
  vrrp: Vrrp;
  ssh: { user: string; allowedFrom: string[] };
  interfaces: { external: string; internal: string; server: string };
  /** Ids of servers that may be made anew for another image or zone, one after the other. */
  mayReplace: string[];
  /** Ids of servers with data whose deletion is meant. */
  mayDelete: string[];
  /** Whether all of it may be deleted by `pulumi destroy`. */
  mayDestroy: boolean;
  /** Name servers for /etc/resolv.conf by way of interfaces(5); none keeps what the image has. */
  nameservers: string[];
}

/** Where the machines come from: made in OpenStack, or load balancers that somebody else built. */
export type Machines = { source: "openstack" } | ExistingMachines;

export interface ExistingMachines {
  source: "existing";
  /** Whether the hosts get their own IPv6 addresses from this program, or have them already. */
  configureIpv6: boolean;
  /** By the names of their datacenters. */
  hosts: ExistingHost[];
}

/** How SSH reaches a machine; its host key is known beforehand. */
export interface Login {
  host: string;
  port: number;
  user: string;
  /** One line, type and key. */
  hostKey: string;
}

export interface ExistingHost {
  datacenter: string;
  hostname: string;
  release: Release;
  external: { ipv4: string; ipv6?: string };
  internal: string;
  login: Login;
  jump?: Login;
}

/** Operating systems, by the ID and VERSION_ID of their os-release(5). */
export const RELEASES = [
  "ubuntu-16.04",
  "ubuntu-18.04",
  "ubuntu-20.04",
  "ubuntu-22.04",
  "ubuntu-24.04",
  "debian-11",
  "debian-12",
  "debian-13",
] as const;

export type Release = (typeof RELEASES)[number];

/** A value per datacenter name; complete. */
export type PerDatacenter<T> = Record<string, T>;

/** As many datacenters as a cluster can have. */
export const MOST_DATACENTERS = 3;

/** A slot of a group of application servers has places for so many of them in each datacenter. */
export const BLOCK = 10;

/** Where an application server gives its running release to the others of its group; on the internal network. Also in node/app. */
export const RELEASE_PORT = 9201;

export interface Datacenter {
  name: string;
  availabilityZone: string;
  /** 1 to 3, for life: addresses, priorities and order follow from it, and from no neighbour. */
  slot: number;
}

/**
 * `loadBalancers` are their own addresses, by slot, and `firstSubnet` is the /64 of the one in slot 1, after which those of all
 * servers are counted; where the provider gave them. `former` is a network in which VIPs may still have addresses, and servers
 * have none.
 */
export interface External {
  /** Name of the provider's network that the load balancers' external ports are on. */
  network: string;
  ipv4: { cidr: string; gateway: string; loadBalancers?: string[]; former?: string };
  /** Absent until the IPv6 rollout. */
  ipv6?: { prefix: string; gateway: string; firstSubnet?: string; former?: string };
  /** Whether Neutron holds the VIPs by ports of this cluster; false where the provider does so by its own. */
  reserveVips: boolean;
  /** Ranges that the hypervisor's ACL lets VIPs use, both families. */
  vipRanges: string[];
}

export interface Internal {
  cidr: string;
  /** Servers' addresses are counted from its first, for life. The same as {@link cidr} if it never grew. */
  builtAs: string;
  vip: string;
}

export interface Vip {
  name: string;
  /** The one that stays in `virtual_ipaddress` for life; see plan/. */
  primary: boolean;
  /** Whether its IPv4 address is part of the adverts, as the primary's is, and so stays for life too. */
  advertised: boolean;
  ipv4?: string;
  ipv6?: string;
}

interface ServiceBase {
  name: string;
  /** Names of VIPs, sorted. */
  vips: string[];
  /** Name of the group of application servers. */
  servers: string;
}

/** HTTP in the clear, HTTPS terminated at the load balancer, or both. */
export interface HttpService extends ServiceBase {
  kind: "http";
  http?: number;
  https?: { port: number; certificate: string };
  /** Answers HTTP with a redirect to HTTPS. */
  redirect: boolean;
  /** Path that must answer 200 on every application server. */
  healthCheck: string;
}

export interface TcpService extends ServiceBase {
  kind: "tcp";
  port: number;
}

export type Service = HttpService | TcpService;

export interface Certificate {
  name: string;
  /** PEM: the certificate, then its chain. */
  certificate: string;
}

export interface AppServers {
  name: string;
  /** Its first name, which is part of its servers' names for life. */
  serversNamed: string;
  runtime: "python";
  /** Port the application listens on, on the internal network. */
  port: number;
  /** Of machines that are made; see {@link addresses} for those that exist. */
  count: PerDatacenter<number>;
  /** Where its servers have their places, ten of each datacenter in a slot, in order. For life. */
  slots: number[];
  flavor: PerDatacenter<string>;
  image: string;
  /** IPv4 addresses of servers that somebody else runs, in order; none of them is touched. */
  addresses: string[];
}

export interface Database {
  engine: "galera";
  /** Port of the frontend on the internal VIP. */
  port: number;
  flavor: PerDatacenter<string>;
  image: string;
}

export interface Vrrp {
  /** Seconds between adverts. */
  advertInterval: number;
  /** Of IPv4; IPv6 is always 3. Unless set, 2 for whole seconds and 3 for fractions. */
  version: 2 | 3;
  /** Whether IPv4 adverts carry a password: version 2 only, as version 3 has none (RFC 5798 section 9). */
  authentication: boolean;
  /** Of IPv4; IPv6 is always unicast. */
  transport: "unicast" | "multicast";
  /** virtual_router_id of each instance, 1 to 255; different on one network. */
  routerIds: { ipv4: number; ipv6: number; internal: number };
}

/** What must never be printed. Kept apart from {@link Spec} so that a plan can be shown to anybody. */
export interface Secrets {
  /** At least 32 characters; every other secret of the stack is derived from it. */
  root: string;
  /** PEM private keys by certificate name. */
  certificateKeys: Record<string, string>;
  /** Logs in to machines that exist; absent where machines are made. */
  sshPrivateKey?: string;
  /** Of VRRPv2, at most 8 characters; absent where it is derived from the root secret. */
  vrrpPassword?: string;
}
