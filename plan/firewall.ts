import { parseNetwork } from "../config/ip";
import { RELEASE_PORT, type Spec } from "../config/spec";
import { type DatabaseCluster, GALERA_PORTS, MARIADB_PORT } from "./database";
import { METRICS_PORT } from "./haproxy";
import { RELAY_PORT } from "./relay";
import type { Servers } from "./servers";

/** Where packets come in: each zone is one security group in the cloud, and one input rule set on the servers. */
export type Zone = "lb-external" | "lb-internal" | "database" | "app";

export const ZONES: readonly Zone[] = ["lb-external", "lb-internal", "database", "app"];

export interface Flow {
  family: "ipv4" | "ipv6";
  protocol: "tcp" | "udp" | "icmp" | "vrrp" | "any";
  /** TCP and UDP only. */
  port?: number;
  /** Networks or single addresses; none means anybody. */
  from: string[];
  /** Set where `from` is all the addresses of a zone: a cloud names the group instead of each address. */
  fromZone?: Zone;
  why: string;
}

export interface Firewall {
  /** What each server itself lets in. */
  flows: Record<Zone, Flow[]>;
  /** What the cloud lets through to a port; a gateway's port also gets what it only passes on. */
  cloudFlows: Record<Zone, Flow[]>;
  /** Network whose packets the load balancers pass on and masquerade. */
  masquerade: string;
}

export const SSH_PORT = 22;

export function planFirewall(spec: Spec, servers: Servers, database: DatabaseCluster | undefined): Firewall {
  const balancers: Senders = { from: servers.balancers.map((node) => node.internal).sort(), fromZone: "lb-internal" };
  const databases: Senders = { from: servers.databases.map((node) => node.internal).sort(), fromZone: "database" };
  const apps: Senders = { from: servers.apps.map((node) => node.internal).sort(), fromZone: "app" };
  const internal: Senders = { from: [spec.internal.cidr] };
  const tcp = (port: number, senders: Senders, why: string): Flow => ({
    family: "ipv4",
    protocol: "tcp",
    port,
    ...senders,
    why,
  });
  const ping: Flow = { family: "ipv4", protocol: "icmp", ...internal, why: "ping and errors" };
  const flows: Record<Zone, Flow[]> = {
    "lb-external": externalFlows(spec, servers),
    "lb-internal": [
      { family: "ipv4", protocol: "vrrp", ...balancers, why: "VRRP between load balancers" },
      { ...tcp(RELAY_PORT, balancers, "relay to a load balancer that drains"), protocol: "udp" },
      ...(database ? [databaseFlow(database.port, spec.internal.cidr)] : []),
      tcp(METRICS_PORT, internal, "Prometheus exporter"),
      ping,
    ],
    database:
      database === undefined
        ? []
        : [
            tcp(SSH_PORT, balancers, "SSH by way of a load balancer"),
            tcp(MARIADB_PORT, balancers, "MariaDB by way of a load balancer"),
            tcp(database.statusPort, balancers, "health check of Galera"),
            tcp(database.statusPort, databases, "a node asks the others before it restarts"),
            tcp(GALERA_PORTS.group, databases, "Galera group communication"),
            { ...tcp(GALERA_PORTS.group, databases, "Galera group communication"), protocol: "udp" },
            tcp(GALERA_PORTS.incremental, databases, "Galera incremental state transfer"),
            tcp(GALERA_PORTS.full, databases, "Galera full state transfer"),
            ping,
          ],
    app: [
      tcp(SSH_PORT, balancers, "SSH by way of a load balancer"),
      ...[...new Set(servers.apps.map((node) => node.port))]
        .sort((a, b) => a - b)
        .map((port) => tcp(port, balancers, "application, from load balancers")),
      tcp(RELEASE_PORT, apps, "an application server takes its release from another"),
      ping,
    ],
  };
  const gateway: Flow = { family: "ipv4", protocol: "any", ...internal, why: "by way of the gateway" };
  return { masquerade: spec.internal.cidr, flows, cloudFlows: { ...flows, "lb-internal": [gateway] } };
}

/** @param cidr the internal network */
export function databaseFlow(port: number, cidr: string): Flow {
  return { family: "ipv4", protocol: "tcp", port, from: [cidr], why: "database frontend" };
}

type Senders = Pick<Flow, "from" | "fromZone">;

function externalFlows(spec: Spec, servers: Servers): Flow[] {
  const families = spec.external.ipv6 ? (["ipv4", "ipv6"] as const) : (["ipv4"] as const);
  return families.flatMap((family) => [
    { family, protocol: "icmp" as const, from: [], why: "ping and errors" },
    {
      family,
      protocol: "vrrp" as const,
      from: servers.balancers.map((node) => node.external[family]!).sort(),
      fromZone: "lb-external" as const,
      why: "VRRP between load balancers",
    },
    ...sshFlows(spec, family),
    ...servicePorts(spec, family).map((port) => ({
      family,
      protocol: "tcp" as const,
      port,
      from: [],
      why: "services on the VIPs",
    })),
  ]);
}

function sshFlows(spec: Spec, family: "ipv4" | "ipv6"): Flow[] {
  const from = spec.ssh.allowedFrom.filter((text) => parseNetwork(text)?.family === family);
  if (from.length === 0) return [];
  const anybody = from.some((text) => text.endsWith("/0"));
  return [{ family, protocol: "tcp", port: SSH_PORT, from: anybody ? [] : from, why: "SSH of the operators" }];
}

/** Ports that at least one VIP of this family serves. */
function servicePorts(spec: Spec, family: "ipv4" | "ipv6"): number[] {
  const served = new Set(spec.vips.filter((vip) => vip[family] !== undefined).map((vip) => vip.name));
  const ports = spec.services
    .filter((service) => service.vips.some((name) => served.has(name)))
    .flatMap((service) => (service.kind === "tcp" ? [service.port] : [service.http, service.https?.port]))
    .filter((port): port is number => port !== undefined);
  return [...new Set(ports)].sort((a, b) => a - b);
}
