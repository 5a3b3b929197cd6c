import { readHost, readNetwork, readRange, readSpan, reservedInNetwork } from "../addresses";
import {
  contains,
  containsNetwork,
  formatIp,
  formatNetwork,
  overlaps,
  type Family,
  type Ip,
  type Network,
  parseSpan,
  type Span,
} from "../ip";
import type { Problem } from "../problems";
import { isGiven, type Draft } from "../shape/draft";
import { listNames } from "../shape/words";

/** What could be read of `external`, for the checks that build on it. */
export interface ExternalNetworks {
  networks: Partial<Record<Family, Network>>;
  /** Where VIPs may be as well; false if it could not be read, so that nobody can say that an address is outside. */
  former: Partial<Record<Family, Network | false>>;
  gateways: Partial<Record<Family, Ip>>;
  ranges: Network[];
  /** False if a range could not be read, so that nobody can say that an address is outside all of them. */
  rangesComplete: boolean;
  /** Whether there is an `external.ipv6` at all, readable or not. */
  hasIpv6: boolean;
}

export function* checkExternal(draft: Draft): Generator<Problem, ExternalNetworks> {
  const { external } = draft;
  const ipv4 = yield* checkNetwork("external.ipv4.cidr", external?.ipv4?.cidr, "ipv4", LENGTHS.ipv4);
  const ipv6 = yield* checkNetwork("external.ipv6.prefix", external?.ipv6?.prefix, "ipv6", LENGTHS.ipv6);
  const networks = { ipv4, ipv6 };
  const former = {
    ipv4: yield* checkFormer("external.ipv4.former", external?.ipv4, networks.ipv4, "ipv4", LENGTHS.ipv4),
    ipv6: yield* checkFormer("external.ipv6.former", external?.ipv6, networks.ipv6, "ipv6", LENGTHS.ipv6),
  };
  const gateways = {
    ipv4: yield* checkGateway("external.ipv4.gateway", external?.ipv4?.gateway, "ipv4", ipv4),
    ipv6: yield* checkGateway("external.ipv6.gateway", external?.ipv6?.gateway, "ipv6", ipv6),
  };
  yield* checkOwn(external?.ipv4?.loadBalancers, ipv4, gateways.ipv4);
  yield* checkFirstSubnet(external?.ipv6?.firstSubnet, ipv6);
  const hasIpv6 = external === undefined || isGiven(external, "ipv6");
  const found: ExternalNetworks = {
    networks,
    former,
    gateways,
    ranges: [],
    rangesComplete: external?.vipRanges !== undefined,
    hasIpv6,
  };
  if (external?.vipRanges?.length === 0) {
    yield {
      path: "external.vipRanges",
      cause: "is empty, so no VIP could be used",
      mend: "list the ranges that the hypervisor's ACL lets VIPs use, for example [203.0.113.96/28]",
    };
    found.rangesComplete = false;
  }
  for (const [index, text] of (external?.vipRanges ?? []).entries()) {
    const path = `external.vipRanges[${index}]`;
    const range = yield* readRange(path, text);
    if (!range) {
      found.rangesComplete = false;
      continue;
    }
    found.ranges.push(range);
    yield* checkRange(path, range, found);
  }
  return found;
}

/** Shortest and longest. */
const LENGTHS: Record<Family, readonly [number, number]> = { ipv4: [16, 26], ipv6: [16, 56] };

const WHY_LENGTH: Record<Family, string> = {
  ipv4: "the cluster's servers and VIPs need room, and a larger network is a slip of the pen",
  ipv6: "every server gets a /64 of its own out of it",
};

function* checkNetwork(
  path: string,
  text: string | undefined,
  family: Family,
  [shortest, longest]: readonly [number, number],
): Generator<Problem, Network | undefined> {
  const network = yield* readNetwork(path, text, family);
  if (network && (network.prefixLength < shortest || network.prefixLength > longest)) {
    yield {
      path,
      cause: `/${network.prefixLength} is outside /${shortest} to /${longest}: ${WHY_LENGTH[family]}`,
      mend: `give a network with a length from ${shortest} to ${longest}`,
    };
    // What lies in or outside a network that will be another one is no use to anybody.
    return undefined;
  }
  return network;
}

/** What a provider takes back has its addresses for as long as somebody asks for them, beside the one that it gave. */
function* checkFormer(
  path: string,
  given: { former?: string | undefined } | undefined,
  network: Network | undefined,
  family: Family,
  lengths: readonly [number, number],
): Generator<Problem, Network | false | undefined> {
  if (given === undefined || !isGiven(given, "former")) return undefined;
  const former = yield* checkNetwork(path, given.former, family, lengths);
  if (former && network && overlaps(former, network)) {
    yield {
      path,
      cause: `${formatNetwork(former)} overlaps ${formatNetwork(network)}, which the load balancers have now`,
      mend: "write the network that they had before, or remove the line once no VIP is in it",
    };
  }
  return former ?? false;
}

function* checkGateway(
  path: string,
  text: string | undefined,
  family: Family,
  network: Network | undefined,
): Generator<Problem, Ip | undefined> {
  const gateway = yield* readHost(path, text, family);
  if (!gateway || !network) return gateway;
  if (!contains(network, gateway)) {
    yield {
      path,
      cause: `${formatIp(gateway)} is outside the external network ${formatNetwork(network)}`,
      mend: `write the provider's gateway inside ${formatNetwork(network)}`,
    };
  }
  yield* reservedInNetwork(path, gateway, network);
  return gateway;
}

/** What the provider gave this customer, where others are in the same network. */
function* checkOwn(
  given: readonly (string | undefined)[] | undefined,
  network: Network | undefined,
  gateway: Ip | undefined,
): Generator<Problem> {
  const before: (Span & { text: string })[] = [];
  for (const [index, text] of (given ?? []).entries()) {
    const path = `external.ipv4.loadBalancers[${index}]`;
    const span = yield* readSpan(path, text);
    if (!span) continue;
    const ends = [span.first, span.last].map((value): Ip => ({ family: "ipv4", value }));
    if (network && !ends.every((ip) => contains(network, ip))) {
      yield {
        path,
        cause: `${text!} is outside the external network ${formatNetwork(network)}`,
        mend: `write addresses inside ${formatNetwork(network)}`,
      };
      continue;
    }
    if (network) for (const ip of ends) yield* reservedInNetwork(path, ip, network);
    if (gateway && gateway.value >= span.first && gateway.value <= span.last) {
      yield { path, cause: `${formatIp(gateway)} is the provider's gateway`, mend: "leave that address out" };
    }
    const twice = before.find(({ first, last }) => first <= span.last && span.first <= last);
    if (twice) yield { path, cause: `${text!} overlaps ${twice.text}`, mend: "write every address once" };
    before.push({ ...span, text: text! });
  }
}

/** Each datacenter's slot needs an address of its own; called when the whole file has its shape. */
export function* checkOwnPlaces(
  { ipv4 }: { ipv4: { loadBalancers?: string[] | undefined } },
  slots: Record<string, number>,
): Generator<Problem> {
  const spans = ipv4.loadBalancers?.map((text) => parseSpan(text));
  if (!spans?.every((span) => span !== undefined)) return;
  const count = spans.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
  const without = Object.entries(slots).filter(([, slot]) => BigInt(slot) > count);
  if (without.length === 0) return;
  yield {
    path: "external.ipv4.loadBalancers",
    cause: `has ${count} ${count === 1n ? "address" : "addresses"}, and so none for ${listNames(without.map(([name]) => name))}, in slot ${without.map(([, slot]) => slot).join(" and ")}`,
    mend: `write ${Math.max(...Object.values(slots))} addresses, in the order of the datacenters' slots, as the provider gave them`,
  };
}

function* checkFirstSubnet(text: string | undefined, prefix: Network | undefined): Generator<Problem> {
  const path = "external.ipv6.firstSubnet";
  const subnet = yield* readNetwork(path, text, "ipv6");
  if (!subnet) return;
  if (subnet.prefixLength !== 64) {
    yield { path, cause: `${formatNetwork(subnet)} is no /64`, mend: "give the first /64 that servers may have" };
  } else if (prefix && !containsNetwork(prefix, subnet)) {
    yield {
      path,
      cause: `${formatNetwork(subnet)} is outside the external prefix ${formatNetwork(prefix)}`,
      mend: `give a /64 inside ${formatNetwork(prefix)}`,
    };
  }
}

function* checkRange(
  path: string,
  range: Network,
  { networks, former, gateways, hasIpv6 }: ExternalNetworks,
): Generator<Problem> {
  const shown = formatNetwork(range);
  const network = networks[range.family];
  if (range.family === "ipv6" && !hasIpv6) {
    yield {
      path,
      cause: `${shown} is outside the external network, which has no IPv6`,
      mend: "add `external.ipv6`, or remove this range",
    };
    return;
  }
  if (range.family === "ipv6" && range.prefixLength < 64) {
    yield {
      path,
      cause: `${shown} is larger than a /64`,
      mend: "give a /64 that belongs to the VIPs alone, or a part of one",
    };
  }
  const before = former[range.family];
  if (!network || before === false || (before && containsNetwork(before, range))) return;
  if (!containsNetwork(network, range)) {
    yield {
      path,
      cause: `${shown} is outside the external network ${formatNetwork(network)}`,
      mend: `give a range inside ${formatNetwork(network)}`,
    };
    return;
  }
  const gateway = gateways[range.family];
  if (range.family === "ipv6" && gateway && contains(range, gateway)) {
    yield {
      path,
      cause: `${shown} holds the provider's gateway ${formatIp(gateway)}`,
      mend: "give VIPs a range of their own, in another /64 of the prefix",
    };
  }
}
