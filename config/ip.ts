import { Address4, Address6 } from "ip-address";

export type Family = "ipv4" | "ipv6";

/** An address as a number with its family, so that arithmetic and comparison need no special cases. */
export interface Ip {
  family: Family;
  value: bigint;
}

/** A network, given by its first address. */
export interface Network {
  family: Family;
  first: bigint;
  prefixLength: number;
}

const WIDTH: Record<Family, number> = { ipv4: 32, ipv6: 128 };

/** Parses one address without prefix length or zone id; `undefined` when it is none. */
export function parseIp(text: string): Ip | undefined {
  if (text.includes("/") || text.includes("%")) return undefined;
  if (Address4.isValid(text)) return { family: "ipv4", value: new Address4(text).bigInt() };
  if (Address6.isValid(text)) return { family: "ipv6", value: new Address6(text).bigInt() };
  return undefined;
}

/** Parses `address/length`; a bare address is a network of one. Host bits are kept out of `first`. */
export function parseNetwork(text: string): Network | undefined {
  const [address = "", length, ...rest] = text.split("/");
  const ip = parseIp(address);
  if (!ip || rest.length > 0) return undefined;
  const width = WIDTH[ip.family];
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const prefixLength = length === undefined ? width : Number(length);
  if (prefixLength > width) return undefined;
  const hostBits = BigInt(width - prefixLength);
  return { family: ip.family, first: (ip.value >> hostBits) << hostBits, prefixLength };
}

/** Addresses that follow one another, by the first and the last. */
export interface Span {
  family: Family;
  first: bigint;
  last: bigint;
}

/** Parses an address, `first-last`, or a network; `undefined` when it is none of them, or ends before it begins. */
export function parseSpan(text: string): Span | undefined {
  const network = parseNetwork(text);
  if (network) return { family: network.family, first: network.first, last: network.first + networkSize(network) - 1n };
  const [first, last, ...rest] = text.split("-").map((each) => parseIp(each.trim()));
  if (!first || first.family !== last?.family || rest.length > 0 || last.value < first.value) return undefined;
  return { family: first.family, first: first.value, last: last.value };
}

/** The canonical text of an address (RFC 5952 for IPv6). */
export function formatIp(ip: Ip): string {
  return ip.family === "ipv4"
    ? Address4.fromBigInt(ip.value).correctForm()
    : Address6.fromBigInt(ip.value).correctForm();
}

export function formatNetwork(network: Network): string {
  return `${formatIp({ family: network.family, value: network.first })}/${network.prefixLength}`;
}

export function networkSize(network: Network): bigint {
  return 1n << BigInt(WIDTH[network.family] - network.prefixLength);
}

export function contains(network: Network, ip: Ip): boolean {
  return network.family === ip.family && ip.value >= network.first && ip.value < network.first + networkSize(network);
}

/** Whether `inner` lies wholly in `outer`. */
export function containsNetwork(outer: Network, inner: Network): boolean {
  return (
    outer.family === inner.family &&
    inner.first >= outer.first &&
    inner.first + networkSize(inner) <= outer.first + networkSize(outer)
  );
}

export function overlaps(a: Network, b: Network): boolean {
  return a.family === b.family && a.first < b.first + networkSize(b) && b.first < a.first + networkSize(a);
}

/**
 * A network, and what it grows by: each time the other half of the next larger one. The same whether it grows in one step or
 * in several, so that whoever is in one of them stays there.
 */
export function* growth(first: Network): Generator<Network> {
  yield first;
  for (let half = first; half.prefixLength > 0;) {
    const whole = nthSubnet(
      { ...half, first: 0n, prefixLength: 0 },
      half.prefixLength - 1,
      half.first / (2n * networkSize(half)),
    );
    yield { ...half, first: 2n * whole.first + networkSize(half) - half.first };
    half = whole;
  }
}

/** The `offset`-th address of a network, counted from its first. */
export function nthIp(network: Network, offset: bigint): Ip {
  return { family: network.family, value: network.first + offset };
}

/** The `index`-th subnetwork of the given prefix length. */
export function nthSubnet(network: Network, prefixLength: number, index: bigint): Network {
  return {
    family: network.family,
    prefixLength,
    first: network.first + index * (1n << BigInt(WIDTH[network.family] - prefixLength)),
  };
}
