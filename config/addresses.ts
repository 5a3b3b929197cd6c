import {
  contains,
  formatIp,
  formatNetwork,
  networkSize,
  parseIp,
  parseNetwork,
  parseSpan,
  type Family,
  type Ip,
  type Network,
  type Span,
} from "./ip";
import type { Problem } from "./problems";
import { quote } from "./shape/words";

/*
 * Addresses as operators write them, with the reason when one can't be taken. Each function yields the problem and returns
 * what it could read, for use as `const ip = yield* readHost(…)`.
 */

const FAMILY_NAME: Record<Family, string> = { ipv4: "IPv4", ipv6: "IPv6" };
const EXAMPLE: Record<Family, string> = { ipv4: "203.0.113.100", ipv6: "2001:db8:45:67bb::1" };
const EXAMPLE_NETWORK: Record<Family, string> = { ipv4: "203.0.113.0/24", ipv6: "2001:db8:45::/48" };

const EXAMPLE_SPAN = "203.0.113.11-203.0.113.13";

const MAPPED = parseNetwork("::ffff:0:0/96")!;

/** Addresses that no interface of a cluster can have, by the first range they are in. */
const UNUSABLE: [range: Network, what: string][] = (
  [
    ["0.0.0.0/8", "means “this network”"],
    ["127.0.0.0/8", "is a loopback address, which never leaves its machine"],
    ["169.254.0.0/16", "is a link-local address, which no router passes on"],
    ["224.0.0.0/4", "is a multicast address"],
    ["240.0.0.0/4", "is in the reserved range 240.0.0.0/4"],
    ["::/128", "is the unspecified address"],
    ["::1/128", "is the loopback address, which never leaves its machine"],
    ["fe80::/10", "is a link-local address, which no router passes on"],
    ["ff00::/8", "is a multicast address"],
  ] as const
).map(([range, what]) => [parseNetwork(range)!, what]);

/** Reads one address that a machine or a router can have. */
export function* readHost(path: string, text: string | undefined, family: Family): Generator<Problem, Ip | undefined> {
  if (text === undefined) return undefined;
  if (text.includes("/")) {
    const bare = text.slice(0, text.indexOf("/"));
    const mend = parseIp(bare) ? `drop the length: write ${bare}` : `write one address, for example ${EXAMPLE[family]}`;
    yield { path, cause: `${quote(text)} has a prefix length, but one address belongs here`, mend };
    return undefined;
  }
  const ip = yield* readText(path, text, text, family, EXAMPLE[family]);
  const unusable = ip && UNUSABLE.find(([range]) => contains(range, ip));
  if (!unusable) return ip;
  yield {
    path,
    cause: `${quote(text)} ${unusable[1]}`,
    mend: `write an ordinary ${FAMILY_NAME[family]} address, for example ${EXAMPLE[family]}`,
  };
  return undefined;
}

/** Reads a network that must be written with its length. */
export function* readNetwork(
  path: string,
  text: string | undefined,
  family: Family,
): Generator<Problem, Network | undefined> {
  if (text !== undefined && !text.includes("/") && parseIp(text)?.family === family) {
    yield {
      path,
      cause: `${quote(text)} is one address, but a network belongs here`,
      mend: `add the length, for example ${EXAMPLE_NETWORK[family]}`,
    };
    return undefined;
  }
  return yield* readRange(path, text, family);
}

/** Reads a network of either family (or of the one given); a bare address is a range of one. */
export function* readRange(
  path: string,
  text: string | undefined,
  family?: Family,
): Generator<Problem, Network | undefined> {
  if (text === undefined) return undefined;
  const [address = "", length] = text.split("/");
  const example = EXAMPLE_NETWORK[family ?? "ipv4"];
  const ip = yield* readText(path, address, text, family, example);
  if (!ip) return undefined;
  const network = parseNetwork(text);
  if (!network) {
    const longest = ip.family === "ipv4" ? 32 : 128;
    yield {
      path,
      cause: `${quote(text)} has no usable length after the slash`,
      mend: `write a length from 0 to ${longest}, for example ${example}`,
    };
    return undefined;
  }
  if (length !== undefined && network.first !== ip.value) {
    yield {
      path,
      cause: `${quote(text)} is not a network: ${address} is an address inside ${formatNetwork(network)}`,
      mend: `write ${formatNetwork(network)} if you mean the whole network, or check the length`,
    };
    return undefined;
  }
  return network;
}

/** Reads an IPv4 address, a range `first-last`, or a network, of which every address counts. */
export function* readSpan(path: string, text: string | undefined): Generator<Problem, Span | undefined> {
  if (text === undefined) return undefined;
  const ends = text.split("-").map((each) => each.trim());
  if (ends.length === 1) {
    const network = yield* readRange(path, text, "ipv4");
    return network && parseSpan(text);
  }
  if (ends.length > 2) {
    yield { path, cause: `${quote(text)} is no range`, mend: `write its first and last address: ${EXAMPLE_SPAN}` };
    return undefined;
  }
  const first = yield* readHost(path, ends[0], "ipv4");
  const last = yield* readHost(path, ends[1], "ipv4");
  if (!first || !last) return undefined;
  if (last.value < first.value) {
    yield { path, cause: `${quote(text)} ends before it begins`, mend: `write ${ends[1]}-${ends[0]} if you mean that` };
    return undefined;
  }
  return { family: "ipv4", first: first.value, last: last.value };
}

/** Reads an address without length, and says why when it is none of the wanted family; `written` is what the file has. */
function* readText(
  path: string,
  text: string,
  written: string,
  family: Family | undefined,
  example: string,
): Generator<Problem, Ip | undefined> {
  const wanted = `${family === undefined ? "IPv4 or IPv6" : FAMILY_NAME[family]} ${example.includes("/") ? "network" : "address"}`;
  const ip = parseIp(text);
  if (!ip) {
    yield { path, ...explainNoAddress(text, wanted, example) };
    return undefined;
  }
  if (contains(MAPPED, ip)) {
    const inner = formatIp({ family: "ipv4", value: ip.value - MAPPED.first });
    yield {
      path,
      cause: `${quote(written)} is an IPv4-mapped IPv6 address, which never appears on the wire`,
      mend: `write ${inner} where an IPv4 address belongs, or a real IPv6 address here`,
    };
    return undefined;
  }
  if (family !== undefined && ip.family !== family) {
    yield {
      path,
      cause: `${quote(written)} is ${FAMILY_NAME[ip.family]}, but an ${wanted} belongs here`,
      mend: `write an ${wanted}, for example ${example}`,
    };
    return undefined;
  }
  return ip;
}

function explainNoAddress(text: string, wanted: string, example: string): Omit<Problem, "path"> {
  const trimmed = text.trim();
  const percent = trimmed.indexOf("%");
  if (percent >= 0) {
    return {
      cause: `${quote(text)} has a zone id (${quote(trimmed.slice(percent))}), which means something on one machine only`,
      mend: `write an address without %, reachable from everywhere, for example ${example}`,
    };
  }
  if (trimmed !== text && parseIp(trimmed))
    return { cause: `${quote(text)} has spaces around it`, mend: `write ${trimmed}` };
  const bracketed = /^\[(.*)\](:\d+)?$/.exec(trimmed)?.[1] ?? /^([\d.]+):\d+$/.exec(trimmed)?.[1];
  if (bracketed !== undefined && parseIp(bracketed)) {
    return { cause: `${quote(text)} has brackets or a port`, mend: `write the address alone: ${bracketed}` };
  }
  const decimal = trimmed
    .split(".")
    .map((part) => part.replace(/^0+(?=\d)/, ""))
    .join(".");
  if (decimal !== trimmed && parseIp(decimal)) {
    return {
      cause: `${quote(text)} has leading zeros, which some programs read as octal`,
      mend: `write ${decimal} if that is what you mean`,
    };
  }
  return { cause: `${quote(text)} is no ${wanted}`, mend: `write an ${wanted}, for example ${example}` };
}

/** Reports an address that its network gives to nobody: the first, and in IPv4 the last. */
export function* reservedInNetwork(path: string, ip: Ip, network: Network): Generator<Problem> {
  if (!contains(network, ip) || networkSize(network) <= 2n) return;
  const last = network.first + networkSize(network) - 1n;
  const reserved =
    ip.value === network.first
      ? ip.family === "ipv4"
        ? "the network address"
        : "the routers' anycast address"
      : ip.family === "ipv4" && ip.value === last
        ? "the broadcast address"
        : undefined;
  if (reserved === undefined) return;
  const mend = `write an address after ${formatIp({ ...ip, value: network.first })}${ip.family === "ipv4" ? ` and before ${formatIp({ ...ip, value: last })}` : ""}`;
  yield { path, cause: `${formatIp(ip)} is ${reserved} of ${formatNetwork(network)}`, mend };
}
