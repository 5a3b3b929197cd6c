import {
  contains,
  containsNetwork,
  formatIp,
  formatNetwork,
  growth,
  type Ip,
  networkSize,
  nthIp,
  nthSubnet,
  parseIp,
  parseNetwork,
  type Network,
} from "../config/ip";
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

/** The reverse: whose place an address is in an internal network that grew from this one, or didn't yet. */
export function placeOf(role: Role, ip: Ip, builtAs: Network): Place | undefined {
  let before = 0n;
  for (const subnet of growth(builtAs)) {
    if (contains(subnet, ip)) return placeAt(role, before + ip.value - subnet.first);
    before += hosts(subnet);
  }
  return undefined;
}

function placeAt(role: Role, offset: bigint): Place | undefined {
  const away = Number(offset) - FIRST[role];
  return away < 0 ? undefined : { slot: (away % MOST_DATACENTERS) + 1, row: Math.floor(away / MOST_DATACENTERS) };
}

/** The row of a group's server, by its number from 0. */
export function rowOf({ slots }: Pick<AppServers, "slots">, index: number): number {
  return (slots[Math.floor(index / BLOCK)]! - 1) * BLOCK + (index % BLOCK);
}

export function internalAddress(spec: Spec, role: Role, place: Place): string {
  return formatIp(nthHost(spec.internal, offset(role, place)));
}

/**
 * What Neutron's network consists of: a subnet can't grow, and takes no server along when it is replaced. So the first stays,
 * and further ones come beside it.
 */
export function internalSubnets(internal: Spec["internal"]): string[] {
  return subnetsOf(internal).map(formatNetwork);
}

/** The one of {@link internalSubnets} that an address is in. */
export function subnetOf(internal: Spec["internal"], ip: string): string {
  const found = internalSubnets(internal).find((each) => contains(network(each), parseIp(ip)!));
  if (found === undefined) throw new Error(`${ip} is outside ${internal.cidr}`);
  return found;
}

function subnetsOf({ cidr, builtAs }: Spec["internal"]): Network[] {
  const whole = network(cidr);
  const found: Network[] = [];
  for (const subnet of growth(network(builtAs))) {
    if (!containsNetwork(whole, subnet)) break;
    found.push(subnet);
  }
  return found;
}

/** Counted through the subnets; Neutron gives the first and the last address of each to nobody. */
function nthHost(internal: Spec["internal"], offset: bigint): Ip {
  let left = offset;
  for (const subnet of subnetsOf(internal)) {
    if (left <= hosts(subnet)) return nthIp(subnet, left);
    left -= hosts(subnet);
  }
  // There is no room for it: checkAddresses says so of whatever is no longer inside.
  const whole = network(internal.cidr);
  return nthIp(whole, hosts(whole) + left);
}

function hosts(subnet: Network): bigint {
  return networkSize(subnet) - 2n;
}

/** The load balancer's own addresses: IPv4 as the provider gave them, or counted in the subnet; IPv6 the first of its own /64. */
export function externalAddress(spec: Spec, place: Place): { ipv4: string; ipv6?: string } {
  const { cidr, loadBalancers } = spec.external.ipv4;
  const ipv4 = loadBalancers?.[place.slot - 1] ?? formatIp(nthIp(network(cidr), offset("load-balancer", place)));
  const subnet = serverSubnet(spec, "load-balancer", place);
  return subnet === undefined ? { ipv4 } : { ipv4, ipv6: formatIp(nthIp(network(subnet), 1n)) };
}

/**
 * Every server's own /64 of the external prefix. Unless the provider said which is the first, they are numbered like IPv4
 * addresses; /64 number 0 is the provider's.
 */
export function serverSubnet({ external }: Spec, role: Role, place: Place): string | undefined {
  if (!external.ipv6) return undefined;
  const { prefix, firstSubnet } = external.ipv6;
  const first = FIRST["load-balancer"];
  const start = firstSubnet === undefined ? nthSubnet(network(prefix), 64, BigInt(first)) : network(firstSubnet);
  return formatNetwork(nthSubnet(start, 64, offset(role, place) - BigInt(first)));
}

export function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (!parsed) throw new Error(`not a network: ${text}`);
  return parsed;
}
