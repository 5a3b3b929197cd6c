import { readHost, reservedInNetwork } from "../addresses";
import { contains, formatIp, formatNetwork, type Family, type Ip, type Network } from "../ip";
import type { Problem } from "../problems";
import { RELEASES } from "../spec";
import { isGiven, names, sortedEntries, type Draft } from "../shape/draft";
import { listNames, nearest, pathText, quote } from "../shape/words";
import type { ExternalNetworks } from "./external";
import { checkLogin, checkPrivateKey } from "./login";

type DraftHost = NonNullable<NonNullable<NonNullable<Draft["machines"]>["loadBalancers"]>[string]>;

/** Load balancers that somebody else built, and the servers behind them. */
export function* checkExisting(
  draft: Draft,
  external: ExternalNetworks,
  internal: Network | undefined,
): Generator<Problem> {
  const { machines } = draft;
  if (machines?.source !== "existing") return;
  yield* checkPrivateKey(machines, isGiven(machines, "privateKey"));
  yield* checkBackends(draft);
  if (!isGiven(machines, "loadBalancers")) {
    yield {
      path: "machines.loadBalancers",
      cause: "is missing; the hosts belong here, one per datacenter",
      mend: 'write for example `dc1: { hostname: lb1, external: { ipv4: 203.0.113.11 }, internal: 198.51.100.11, user: ubuntu, hostKey: "ssh-ed25519 AAAA…" }`',
    };
    return;
  }
  yield* checkDatacenters(draft);
  const owners = new Map<string, string>();
  const hostnames = new Map<string, string>();
  for (const [name, host] of sortedEntries(machines.loadBalancers)) {
    if (!host) continue;
    const path = pathText(["machines", "loadBalancers", name]);
    yield* checkHostname(path, host, hostnames);
    yield* checkAddresses(path, host, external, internal, owners);
    yield* checkLogin(path, host);
    if (host.address !== undefined) yield* readHost(`${path}.address`, host.address, familyOf(host.address));
    if (host.jump) yield* checkLogin(`${path}.jump`, host.jump);
    if (host.release !== undefined && !(RELEASES as readonly string[]).includes(host.release)) {
      const meant = nearest(host.release, RELEASES);
      yield {
        path: `${path}.release`,
        cause: `${quote(host.release)} is no release that this program knows; ${listNames(RELEASES)} are`,
        mend:
          meant === undefined
            ? "write ID and VERSION_ID of the host's /etc/os-release, with a hyphen between, for example ubuntu-16.04"
            : `did you mean \`${meant}\`?`,
      };
    }
  }
}

function familyOf(address: string): Family {
  return address.includes(":") ? "ipv6" : "ipv4";
}

/** Each datacenter has one host, and no host is anywhere else. */
function* checkDatacenters({ machines, datacenters }: Draft): Generator<Problem> {
  if (!datacenters || !machines?.loadBalancers) return;
  const known = names(datacenters);
  for (const name of names(machines.loadBalancers).filter((each) => !known.includes(each))) {
    const meant = nearest(name, known);
    yield {
      path: pathText(["machines", "loadBalancers", name]),
      cause: `${quote(name)} is no datacenter of this stack`,
      mend: meant === undefined ? `name one of ${listNames(known)}` : `did you mean \`${meant}\`?`,
    };
  }
  const missing = known.filter((name) => !Object.hasOwn(machines.loadBalancers!, name));
  if (missing.length > 0) {
    yield {
      path: "machines.loadBalancers",
      cause: `says nothing for ${listNames(missing)}`,
      mend: "describe the load balancer of every datacenter",
    };
  }
}

function* checkHostname(path: string, { hostname }: DraftHost, owners: Map<string, string>): Generator<Problem> {
  if (hostname === undefined) return;
  if (!/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/.test(hostname)) {
    yield {
      path: `${path}.hostname`,
      cause: `${quote(hostname)} can't be a host's name`,
      mend: "write the name as in the host's /etc/hostname: letters, digits, dots and hyphens, 63 characters at most",
    };
  }
  const owner = owners.get(hostname);
  if (owner !== undefined) {
    yield {
      path: `${path}.hostname`,
      cause: `${quote(hostname)} is the name of \`${owner}\` too`,
      mend: "give every host its own name",
    };
  }
  owners.set(hostname, owner ?? path);
}

function* checkAddresses(
  path: string,
  host: DraftHost,
  external: ExternalNetworks,
  internal: Network | undefined,
  owners: Map<string, string>,
): Generator<Problem> {
  for (const family of ["ipv4", "ipv6"] as const) {
    yield* checkOwnAddress(
      `${path}.external.${family}`,
      host.external?.[family],
      family,
      external.networks[family],
      owners,
    );
  }
  yield* checkOwnAddress(`${path}.internal`, host.internal, "ipv4", internal, owners);
  const given = isGiven(host.external, "ipv6");
  if (given && !external.hasIpv6) {
    yield {
      path: `${path}.external.ipv6`,
      cause: "is an IPv6 address, but the external network has no IPv6",
      mend: "add `external.ipv6` with `prefix` and `gateway`, or remove this address until the IPv6 rollout",
    };
  } else if (!given && host.external && external.networks.ipv6) {
    yield {
      path: `${path}.external.ipv6`,
      cause: "is missing, and the external network has IPv6",
      mend: `write the host's own IPv6 address, the first of a /64 of ${formatNetwork(external.networks.ipv6)} that is its alone`,
    };
  }
}

function* checkOwnAddress(
  path: string,
  text: string | undefined,
  family: Family,
  network: Network | undefined,
  owners: Map<string, string>,
): Generator<Problem> {
  const ip = yield* readHost(path, text, family);
  if (!ip) return;
  yield* checkInside(path, ip, network);
  const address = formatIp(ip);
  const owner = owners.get(address);
  if (owner !== undefined) {
    yield { path, cause: `${address} is the address of \`${owner}\` too`, mend: "give every host its own address" };
  }
  owners.set(address, owner ?? path);
}

function* checkInside(path: string, ip: Ip, network: Network | undefined): Generator<Problem> {
  if (!network) return;
  if (contains(network, ip)) {
    yield* reservedInNetwork(path, ip, network);
    return;
  }
  yield {
    path,
    cause: `${formatIp(ip)} is outside its network ${formatNetwork(network)}`,
    mend: `write the host's own address inside ${formatNetwork(network)}, as \`ip address\` on the host shows it`,
  };
}

/** Application servers that somebody else runs: addresses are all that is known of them. */
function* checkBackends({ appServers }: Draft): Generator<Problem> {
  for (const [name, group] of sortedEntries(appServers)) {
    if (!group) continue;
    const path = pathText(["appServers", name, "addresses"]);
    if (!isGiven(group, "addresses")) {
      yield {
        path,
        cause: "is missing; with machines that exist, the servers' addresses belong here",
        mend: "write for example `addresses: [198.51.100.31, 198.51.100.32]`",
      };
    } else if (group.addresses?.length === 0) {
      yield { path, cause: "is empty, so nobody would answer", mend: "list the IPv4 addresses of the servers" };
    }
    const seen = new Set<string>();
    for (const [index, text] of (group.addresses ?? []).entries()) {
      const ip = yield* readHost(`${path}[${index}]`, text, "ipv4");
      if (!ip) continue;
      const address = formatIp(ip);
      if (seen.has(address)) {
        yield { path: `${path}[${index}]`, cause: `${address} comes twice`, mend: "remove one of them" };
      }
      seen.add(address);
    }
  }
}
