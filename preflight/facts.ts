import type { Endpoint } from "./expected";

/** What node/preflight/facts.sh says of one host. */
export interface HostFacts {
  release?: string;
  /** How far the host's clock is ahead of ours, in milliseconds; wrong by up to {@link clockError}. */
  clockAhead: number;
  clockError: number;
  /** Versions by daemon, of those that are installed. */
  versions: Record<string, string>;
  /** Tools that the pushes need and that are not there. */
  missing: string[];
  /** MiB by folder. */
  free: Record<string, number>;
  readOnly: string[];
  missingInterfaces: string[];
  /** Addresses with their prefix length, by interface. */
  addresses: Record<string, string[]>;
  mtu: Record<string, number>;
  listeners: (Endpoint & { process: string })[];
  sourcesInterfaces: boolean;
  nonlocalBind: boolean;
  ipv6Disabled: boolean;
  /** Daemons that unattended-upgrades may restart. */
  unattended: string[];
}

/** `asked` and `answered`: our own clock before and after, in milliseconds since the epoch. */
export function parseFacts(text: string, asked: number, answered: number): HostFacts {
  const lines = text.split("\n").map((line) => line.trim().split(" "));
  const all = (key: string): string[][] => lines.filter(([first]) => first === key).map(([, ...rest]) => rest);
  const one = (key: string): string | undefined => all(key)[0]?.[0];
  const byFirst = <T>(key: string, value: (text: string) => T): Record<string, T> =>
    Object.fromEntries(all(key).map(([name, text]) => [name!, value(text!)]));

  const addresses: Record<string, string[]> = {};
  for (const [name, address] of all("address")) (addresses[name!] ??= []).push(address!);
  const release = one("release");
  return {
    ...(release === undefined ? {} : { release }),
    clockAhead: Number(one("clock")) * 1000 - (asked + answered) / 2,
    clockError: (answered - asked) / 2,
    versions: Object.fromEntries(
      ["keepalived", "haproxy"].flatMap((daemon) => (one(daemon) === undefined ? [] : [[daemon, one(daemon)!]])),
    ),
    missing: all("missing").map(([tool]) => tool!),
    free: byFirst("free", Number),
    readOnly: all("read-only").map(([place]) => place!),
    missingInterfaces: all("no-interface").map(([name]) => name!),
    addresses,
    mtu: byFirst("mtu", Number),
    listeners: all("listener").map(([place, process]) => ({ ...parseEndpoint(place!), process: process! })),
    sourcesInterfaces: one("sources-interfaces") === "yes",
    nonlocalBind: one("nonlocal-bind") === "1",
    ipv6Disabled: one("ipv6-disabled") === "1",
    unattended: all("unattended").map(([daemon]) => daemon!),
  };
}

/** As ss(8) prints it: `0.0.0.0:80`, `[::]:80`, `*:80`, and with the interface of a bound socket `203.0.113.1%eth0:80`. */
function parseEndpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(":");
  const address = text.slice(0, colon).replace(/[[\]]/g, "").replace(/%.*/, "");
  return { address, port: Number(text.slice(colon + 1)) };
}

/** What node/preflight/vrrp-probe.sh heard on one host. */
export interface Heard {
  adverts: { interface: string; source: string; routerId: number }[];
  /** Words of our own packets that came as far as the host. */
  seen: Set<string>;
  /** Words of those that its firewall let through as well. */
  passed: Set<string>;
}

export function parseHeard(text: string): Heard {
  const lines = text.split("\n").map((line) => line.split(" "));
  const words = (kind: string): Set<string> =>
    new Set(lines.filter(([first]) => first === kind).map(([, , , word]) => word!));
  return {
    adverts: lines
      .filter(([kind]) => kind === "advert")
      .map(([, name, source, routerId]) => ({ interface: name!, source: source!, routerId: Number(routerId) })),
    seen: words("seen"),
    passed: words("passed"),
  };
}
