import { type Gap, gapOf } from "../traffic/gap";
import { familyOf, type Record, type Vip } from "./record";
import { sideBySide, type Span } from "./spans";

/** What a fault cost. Times are milliseconds. */
export interface Figures {
  /** Requests from outside, by family; HTTP and HTTPS together. */
  ipv4?: FamilyFigures;
  ipv6?: FamilyFigures;
  /** Longest time without an echo from outside, for an internal server behind the internal VIP; then the VIP's own. */
  gateway?: number;
  internalVip?: number;
  /** For how long more than one load balancer had a VIP. */
  twoMasters: number;
  /** For how long the IPv4 and the IPv6 VIPs were not on the same load balancers, each being somewhere. */
  apart: number;
  /** How often the VIPs went from one load balancer to another. */
  moves: number;
  /** From the heal until one load balancer had all VIPs, all others were ready, and nothing failed any more. */
  heal: number;
}

export interface FamilyFigures extends Gap {
  /** By scheme: http, https. */
  bySchemes: { [scheme: string]: Gap };
}

export function judge(record: Record): Figures {
  const { began, ended } = record;
  const spans = sideBySide(record, began - 2000, ended);
  const held = (vip: Vip, samples: (typeof spans)[number]["samples"]): string =>
    record.lanes
      .filter((_, lane) => samples[lane]?.holds.includes(vip.address))
      .map(({ machine }) => machine)
      .join();
  const ofKind = (kind: Vip["kind"]): Vip[] => record.vips.filter((vip) => vip.kind === kind);
  const twoMasters = spans.filter(({ samples }) => record.vips.some((vip) => held(vip, samples).includes(",")));
  const [one, other] = [ofKind("ipv4")[0], ofKind("ipv6")[0]];
  const apart = spans.filter(({ samples }) => {
    if (!one || !other) return false;
    const [holders4, holders6] = [held(one, samples), held(other, samples)];
    return holders4 !== "" && holders6 !== "" && holders4 !== holders6;
  });
  const masters = spans
    .map(({ samples }) => record.vips.map((vip) => held(vip, samples)))
    .filter((holders) => holders.every((each) => each !== "" && !each.includes(",") && each === holders[0]))
    .map((holders) => holders[0]);
  const [internal] = ofKind("internal");
  const outside = record.pings.filter(({ url }) => url !== internal?.address);
  const inside = record.pings.filter(({ url }) => url === internal?.address);
  return {
    ...family(record, "ipv4"),
    ...family(record, "ipv6"),
    ...(outside.length === 0 ? {} : { gateway: gapOf(outside).longest }),
    ...(inside.length === 0 ? {} : { internalVip: gapOf(inside).longest }),
    twoMasters: total(twoMasters),
    apart: total(apart),
    moves: masters.filter((master, index) => index > 0 && master !== masters[index - 1]).length,
    heal: Math.round(Math.max(0, lastTrouble(record) - record.healed)),
  };
}

function family(record: Record, which: "ipv4" | "ipv6"): Partial<Figures> {
  const attempts = record.attempts.filter(({ url }) => familyOf(url) === which);
  if (attempts.length === 0) return {};
  const schemes = [...new Set(attempts.map(({ url }) => new URL(url).protocol.replace(":", "")))].sort();
  const bySchemes = Object.fromEntries(
    schemes.map((scheme) => [scheme, gapOf(attempts.filter(({ url }) => url.startsWith(`${scheme}:`)))]),
  );
  const all = Object.values(bySchemes);
  return {
    [which]: {
      sent: attempts.length,
      failed: all.reduce((sum, { failed }) => sum + failed, 0),
      longest: Math.max(...all.map(({ longest }) => longest)),
      bySchemes,
    },
  };
}

/** The last moment at which something was not as it should be; -Infinity when all was well throughout. */
function lastTrouble(record: Record): number {
  const failures = [...record.attempts, ...record.pings]
    .filter(({ ok }) => !ok)
    .map(({ at, milliseconds }) => at + milliseconds);
  const wrong = sideBySide(record, record.began, record.ended)
    .filter(({ samples }) => !wellPlaced(record, samples))
    .map(({ to }) => to);
  return [...failures, ...wrong].reduce((latest, each) => Math.max(latest, each), -Infinity);
}

/** One has every VIP, and every other one is ready to take them. */
function wellPlaced(record: Record, samples: ReturnType<typeof sideBySide>[number]["samples"]): boolean {
  const masters = samples.filter((each) => each?.state === "MASTER");
  return (
    samples.every((each) => each !== undefined && each.haproxy && ["MASTER", "BACKUP"].includes(each.state)) &&
    masters.length === 1 &&
    record.vips.every((vip) =>
      samples.every((each) => each!.holds.includes(vip.address) === (each!.state === "MASTER")),
    )
  );
}

function total(spans: readonly Span[]): number {
  return Math.round(spans.reduce((sum, { from, to }) => sum + to - from, 0));
}
