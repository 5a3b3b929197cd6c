import { readHost, readNetwork, readRange, reservedInNetwork } from "../addresses";
import {
  contains,
  containsNetwork,
  formatIp,
  formatNetwork,
  growth,
  overlaps,
  type Network,
  parseNetwork,
} from "../ip";
import type { Problem } from "../problems";
import type { Draft } from "../shape/draft";

/** Longest prefix with room for the servers, whose addresses start at the 11th of the network. */
const LONGEST_PREFIX = 25;

/**
 * Returns the internal network, if it could be read.
 *
 * @param standing what it was built as, where it was
 */
export function* checkInternal(
  draft: Draft,
  [external, former]: readonly (Network | false | undefined)[],
  standing: string | undefined,
): Generator<Problem, Network | undefined> {
  const path = "internal.cidr";
  const network = yield* readLarge(path, draft.internal?.cidr);
  for (const [outside, key] of [
    [external, "external.ipv4.cidr"],
    [former, "external.ipv4.former"],
  ] as const) {
    if (!network || !outside || !overlaps(network, outside)) continue;
    yield {
      path,
      cause: `${formatNetwork(network)} overlaps the external network ${formatNetwork(outside)}`,
      mend: `give an internal network that shares no address with ${key}`,
    };
  }
  const builtAs =
    (yield* checkBuiltAs(draft.internal?.builtAs, network)) ??
    (standing === undefined ? undefined : parseNetwork(standing));
  yield* checkInternalVip(draft.internal?.vip, network, builtAs);
  return network;
}

function* readLarge(path: string, text: string | undefined): Generator<Problem, Network | undefined> {
  const network = yield* readNetwork(path, text, "ipv4");
  if (network && network.prefixLength > LONGEST_PREFIX) {
    yield {
      path,
      cause: `/${network.prefixLength} is too small for the servers' addresses, which start at the 11th`,
      mend: `give a network with a length of ${LONGEST_PREFIX} or less, for example 198.51.100.0/24`,
    };
  }
  return network;
}

function* checkBuiltAs(
  text: string | undefined,
  network: Network | undefined,
): Generator<Problem, Network | undefined> {
  const path = "internal.builtAs";
  const first = yield* readLarge(path, text);
  if (!first || !network || containsNetwork(network, first)) return first;
  yield {
    path,
    cause: `${formatNetwork(first)} is not inside ${formatNetwork(network)}, which can't have grown from it`,
    mend: "write the network that the cluster was built with, or remove the line: what stands keeps its place by itself",
  };
  return undefined;
}

function* checkInternalVip(
  text: string | undefined,
  network: Network | undefined,
  builtAs: Network | undefined,
): Generator<Problem> {
  const path = "internal.vip";
  const vip = yield* readHost(path, text, "ipv4");
  if (!vip || !network) return;
  if (!contains(network, vip)) {
    yield {
      path,
      cause: `${formatIp(vip)} is outside the internal network ${formatNetwork(network)}`,
      mend: `write an address inside ${formatNetwork(network)}, for example its first`,
    };
  }
  yield* reservedInNetwork(path, vip, network);
  // Neutron's subnets are the network as it was built, and what it grew by.
  for (const subnet of growth(builtAs ?? network)) {
    if (!containsNetwork(network, subnet)) break;
    if (subnet.prefixLength !== network.prefixLength) yield* reservedInNetwork(path, vip, subnet);
  }
}

/** Who may ssh, and the servers' name servers. */
export function* checkAccess(draft: Draft): Generator<Problem> {
  if (draft.ssh?.allowedFrom?.length === 0) {
    yield {
      path: "ssh.allowedFrom",
      cause: "is empty, so nobody could reach the cluster, not even this program",
      mend: "list the networks that operators connect from, for example [203.0.113.0/24]",
    };
  }
  for (const [index, text] of (draft.ssh?.allowedFrom ?? []).entries()) {
    yield* readRange(`ssh.allowedFrom[${index}]`, text);
  }
  for (const [index, text] of (draft.nameservers ?? []).entries()) {
    yield* readHost(`nameservers[${index}]`, text, "ipv4");
  }
}
