import { formatIp, formatNetwork, nthIp, nthSubnet, parseNetwork, type Network } from "../config/ip";
import { type AppServers, BLOCK, MOST_DATACENTERS, type Spec } from "../config/spec";
import type { Role } from "./servers";

/**
 * Where each role's addresses start inside a network. A server's offset follows from the slot of its datacenter and from its
 * row (of application servers: the slot of its group and its number), so that no neighbour that comes or goes moves it.
 */
const FIRST: Record<Role, number> = { "load-balancer": 11, database: 21, "app-server": 31 };

/** A server's place: its datacenter's slot, from 1, and among those of its role there, from 0. */
export interface Place {
  slot: number;
  row: number;
}

function offset(role: Role, { slot, row }: Place): bigint {
  return BigInt(FIRST[role] + row * MOST_DATACENTERS + slot - 1);
}

/** The reverse: whose place an address is that lies so far from its network's first. */
export function placeAt(role: Role, offset: bigint): Place | undefined {
  const away = Number(offset) - FIRST[role];
  return away < 0 ? undefined : { slot: (away % MOST_DATACENTERS) + 1, row: Math.floor(away / MOST_DATACENTERS) };
}

/** The row of a group's server, by its number from 0. */
export function rowOf({ slots }: Pick<AppServers, "slots">, index: number): number {
  return (slots[Math.floor(index / BLOCK)]! - 1) * BLOCK + (index % BLOCK);
}

export function internalAddress(spec: Spec, role: Role, place: Place): string {
  return formatIp(nthIp(network(spec.internal.cidr), offset(role, place)));
}

/** The load balancer's own addresses: IPv4 in the external subnet, IPv6 the first of its own /64. */
export function externalAddress(spec: Spec, place: Place): { ipv4: string; ipv6?: string } {
  const ipv4 = formatIp(nthIp(network(spec.external.ipv4.cidr), offset("load-balancer", place)));
  const subnet = serverSubnet(spec, "load-balancer", place);
  return subnet === undefined ? { ipv4 } : { ipv4, ipv6: formatIp(nthIp(network(subnet), 1n)) };
}

/** Every server's own /64 of the external prefix, numbered like its IPv4 address; /64 number 0 is the provider's. */
export function serverSubnet(spec: Spec, role: Role, place: Place): string | undefined {
  if (!spec.external.ipv6) return undefined;
  return formatNetwork(nthSubnet(network(spec.external.ipv6.prefix), 64, offset(role, place)));
}

export function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (!parsed) throw new Error(`not a network: ${text}`);
  return parsed;
}
