import { readHost, reservedInNetwork } from "../addresses";
import { contains, formatIp, formatNetwork, networkSize, nthIp, type Family, type Ip } from "../ip";
import type { Problem } from "../problems";
import { isGiven, sortedEntries, type Draft } from "../shape/draft";
import { listNames } from "../shape/words";
import type { ExternalNetworks } from "./external";

type DraftVip = NonNullable<NonNullable<Draft["vips"]>[string]>;

export function* checkVips(draft: Draft, external: ExternalNetworks): Generator<Problem> {
  if (!draft.vips) return;
  const vips = sortedEntries(draft.vips);
  if (vips.length === 0) {
    yield {
      path: "vips",
      cause: "is empty; a cluster needs at least one VIP",
      mend: "write for example `www: { ipv4: 203.0.113.100 }`",
    };
    return;
  }
  yield* checkPrimary(vips);
  yield* checkAdvertised(vips);
  const owners = new Map<string, string>();
  for (const [name, vip] of vips) {
    if (!vip) continue;
    if (!isGiven(vip, "ipv4") && !isGiven(vip, "ipv6")) {
      yield { path: `vips.${name}`, cause: "has no address", mend: "write `ipv4`, `ipv6`, or both" };
    }
    for (const family of ["ipv4", "ipv6"] as const) {
      const path = `vips.${name}.${family}`;
      const ip = yield* readHost(path, vip[family], family);
      if (!ip) continue;
      yield* checkPlace(path, ip, external);
      const address = formatIp(ip);
      const owner = owners.get(address);
      if (owner !== undefined) {
        yield {
          path,
          cause: `${address} is the address of \`${owner}\` already`,
          mend: "give every VIP an address of its own",
        };
      } else {
        owners.set(address, path);
      }
    }
  }
}

/** The primary is the VIP that VRRP is built around: there is one, known for certain, and it has IPv4. */
function* checkPrimary(vips: [string, DraftVip | undefined][]): Generator<Problem> {
  const [only, ...others] = vips;
  if (only && others.length === 0) {
    const [name, vip] = only;
    if (vip?.primary === false) {
      yield {
        path: `vips.${name}.primary`,
        cause: "is false, but the only VIP is the primary one",
        mend: "remove the line",
      };
    }
    yield* primaryNeedsIpv4(name, vip);
    return;
  }
  const unreadable = vips.some(([, vip]) => !vip || (isGiven(vip, "primary") && vip.primary === undefined));
  const primaries = vips.filter(([, vip]) => vip?.primary === true);
  if (primaries.length === 0 && !unreadable) {
    yield {
      path: "vips",
      cause: `none of ${listNames(vips.map(([name]) => name))} is the primary one`,
      mend: "write `primary: true` at one of them: VRRP is built around it, and to clients it means nothing",
    };
  }
  for (const [name, vip] of primaries) yield* primaryNeedsIpv4(name, vip);
  for (const [name] of primaries.slice(1)) {
    yield {
      path: `vips.${name}.primary`,
      cause: `\`${primaries[0]![0]}\` is the primary VIP already`,
      mend: "write `primary: true` at one VIP only",
    };
  }
}

/** The primary is always in the adverts; another one needs an address to be there with. */
function* checkAdvertised(vips: [string, DraftVip | undefined][]): Generator<Problem> {
  for (const [name, vip] of vips) {
    const primary = vip?.primary ?? vips.length === 1;
    if (vip?.advertised === false && primary) {
      yield {
        path: `vips.${name}.advertised`,
        cause: "is false, but the primary VIP is always in the adverts",
        mend: "remove the line",
      };
    } else if (vip?.advertised === true && !isGiven(vip, "ipv4")) {
      yield {
        path: `vips.${name}.advertised`,
        cause: "is about the IPv4 address, but the VIP has none",
        mend: "remove the line, or add `ipv4`",
      };
    }
  }
}

function* primaryNeedsIpv4(name: string, vip: DraftVip | undefined): Generator<Problem> {
  if (!vip || isGiven(vip, "ipv4") || !isGiven(vip, "ipv6")) return;
  yield {
    path: `vips.${name}.ipv4`,
    cause: "is missing; the primary VIP needs an IPv4 address",
    mend: "add an IPv4 address out of external.vipRanges, for example `ipv4: 203.0.113.100`",
  };
}

function* checkPlace(path: string, ip: Ip, external: ExternalNetworks): Generator<Problem> {
  const address = formatIp(ip);
  if (ip.family === "ipv6" && !external.hasIpv6) {
    yield {
      path,
      cause: "is an IPv6 address, but the external network has no IPv6",
      mend: "add `external.ipv6` with `prefix` and `gateway`, and a range for VIPs",
    };
    return;
  }
  const now = external.networks[ip.family];
  const former = external.former[ip.family];
  const network = former && contains(former, ip) ? former : now;
  if (former !== false && network && !contains(network, ip)) {
    yield {
      path,
      cause: `${address} is outside the external network ${formatNetwork(network)}`,
      mend: `write an address inside ${formatNetwork(network)}, out of external.vipRanges`,
    };
    return;
  }
  const gateway = external.gateways[ip.family];
  if (gateway?.value === ip.value) {
    yield { path, cause: `${address} is the provider's gateway`, mend: "write an address that nothing else has" };
  }
  const link =
    ip.family === "ipv6" ? { family: ip.family, first: (ip.value >> 64n) << 64n, prefixLength: 64 } : network;
  if (link) yield* reservedInNetwork(path, ip, link);
  yield* checkRanges(path, ip, external);
}

function* checkRanges(path: string, ip: Ip, external: ExternalNetworks): Generator<Problem> {
  if (!external.rangesComplete || external.ranges.some((range) => contains(range, ip))) return;
  const ranges = external.ranges.filter((range) => range.family === ip.family);
  const familyName: Record<Family, string> = { ipv4: "IPv4", ipv6: "IPv6" };
  const example = ranges[0] && formatIp(nthIp(ranges[0], networkSize(ranges[0]) > 1n ? 1n : 0n));
  yield {
    path,
    cause:
      ranges.length === 0
        ? `external.vipRanges has no ${familyName[ip.family]} range, so the hypervisor's ACL would drop ${formatIp(ip)}`
        : `${formatIp(ip)} is outside every range that the hypervisor's ACL lets VIPs use (${ranges.map(formatNetwork).join(", ")})`,
    mend:
      example === undefined
        ? `have the provider allow a range, and add it to external.vipRanges`
        : `take an address of external.vipRanges, for example ${example}, or have the provider allow this one`,
  };
}
