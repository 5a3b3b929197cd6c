import type { Attempt } from "../../../operate/traffic/gap";
import type { Record, Sample } from "../../../operate/measure/record";

export const VIPS: Record["vips"] = [
  { address: "203.0.113.100", kind: "ipv4" },
  { address: "2001:db8:45:67bb::1", kind: "ipv6" },
  { address: "198.51.100.1", kind: "internal" },
];
export const ALL = VIPS.map(({ address }) => address);

/** A fault at 10 s, put back at 20 s, after which it was watched for 10 s. */
export function record(parts: Partial<Record>): Record {
  return {
    fault: { name: "power-off", does: "the active load balancer loses its power", kind: "crash" },
    ...{ active: "lb-dc1", hit: ["lb-dc1"], vips: VIPS },
    ...{ attempts: [], pings: [], lanes: [], began: 10_000, healed: 20_000, ended: 30_000, lag: 0 },
    ...parts,
  };
}

export function sample(at: number, state: string, holds: string[] = [], haproxy = true): Sample {
  return { at, state, haproxy, holds };
}

/** The same sample once a second, as holders.pl writes it. */
export function beats(from: number, to: number, state: string, holds: string[] = []): Sample[] {
  const count = Math.ceil((to - from) / 1000);
  return Array.from({ length: count }, (_, index) => sample(from + 1000 * index, state, holds));
}

/** One attempt every 100 ms, failed from `from` to `to`. */
export function attempts(url: string, from: number, to: number): Attempt[] {
  return Array.from({ length: 220 }, (_, index) => {
    const at = 8000 + index * 100;
    return { url, at, late: 0, milliseconds: 5, ok: at < from || at >= to };
  });
}
