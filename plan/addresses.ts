import { formatIp, formatNetwork, nthIp, nthSubnet, parseNetwork, type Network } from "../config/ip";
import type { Spec } from "../config/spec";
import type { Role } from "./servers";

/**
 * Where each role's addresses start inside a network. A server's offset is `first + row * STRIDE + datacenter`, so that
 * neither a further application server nor a further datacenter moves an address that is in use.
 */
const FIRST: Record<Role, number> = { "load-balancer": 11, database: 21, "app-server": 31 };

/** As many datacenters as a cluster can have. */
const STRIDE = 3;

function offset(role: Role, datacenterIndex: number, row: number): bigint {
  return BigInt(FIRST[role] + row * STRIDE + datacenterIndex);
}

/** Rows come in blocks, so that a group of application servers can grow without moving the groups after it. */
const BLOCK = 10;

/** The first row of each group of application servers, in the order of the spec. */
export function firstRows(spec: Spec): number[] {
  let next = 0;
  return spec.appServers.map((group) => {
    const first = next;
    next += Math.ceil(largest(group.count) / BLOCK) * BLOCK;
    return first;
  });
}

/** The highest offset that any server of the cluster has. */
export function lastOffset(spec: Spec): bigint {
  const rows = firstRows(spec).map((first, index) => first + largest(spec.appServers[index]!.count) - 1);
  return offset("app-server", spec.datacenters.length - 1, Math.max(0, ...rows));
}

function largest(count: Record<string, number>): number {
  return Math.max(1, ...Object.values(count));
}

export function internalAddress(spec: Spec, role: Role, datacenterIndex: number, row: number): string {
  return formatIp(nthIp(network(spec.internal.cidr), offset(role, datacenterIndex, row)));
}

/** The load balancer's own addresses: IPv4 in the external subnet, IPv6 the first of its own /64. */
export function externalAddress(spec: Spec, datacenterIndex: number): { ipv4: string; ipv6?: string } {
  const ipv4 = formatIp(nthIp(network(spec.external.ipv4.cidr), offset("load-balancer", datacenterIndex, 0)));
  const subnet = serverSubnet(spec, "load-balancer", datacenterIndex, 0);
  return subnet === undefined ? { ipv4 } : { ipv4, ipv6: formatIp(nthIp(network(subnet), 1n)) };
}

/** Every server's own /64 of the external prefix, numbered like its IPv4 address; /64 number 0 is the provider's. */
export function serverSubnet(spec: Spec, role: Role, datacenterIndex: number, row: number): string | undefined {
  if (!spec.external.ipv6) return undefined;
  return formatNetwork(nthSubnet(network(spec.external.ipv6.prefix), 64, offset(role, datacenterIndex, row)));
}

export function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (!parsed) throw new Error(`not a network: ${text}`);
  return parsed;
}
