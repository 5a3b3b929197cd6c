import type { Family } from "../../harness/cluster";
import type { Rollout } from "../../harness/rollout";
import { failuresOf, type Summary, summaryOf } from "../../operate/traffic/summary";

const COLUMNS = ["IPv4 HTTP", "IPv4 HTTPS", "IPv6 HTTP", "IPv6 HTTPS"] as const;

/** The head of a table in markdown; failures are of all requests sent, times in milliseconds but for the first. */
export const TABLE_HEAD = [
  cells("step", "s", ...COLUMNS, "longest gap", "slowest", "> 900 ms", "handovers", "two masters", "client late"),
  cells("---", ...Array<string>(11).fill("---:")),
].join("\n");

export function row(name: string, rollout: Rollout): string {
  const all = summaryOf(rollout.attempts);
  const each = byColumn(rollout);
  const longest = Math.max(...[...each.values()].map((summary) => summary.longest));
  return cells(
    name,
    rollout.seconds.toFixed(0),
    ...COLUMNS.map((column) => {
      const summary = each.get(column);
      return summary === undefined ? "–" : `${summary.failed} of ${summary.sent}`;
    }),
    longest,
    all.slowest,
    all.retransmitted,
    rollout.mastership.handovers,
    rollout.mastership.twoMasters,
    Math.round(rollout.lag),
  );
}

/** One line for each kind of failure and each change of master, in the order in which they happened. */
export function events(name: string, rollout: Rollout): string[] {
  const { attempts, begin, mastership } = rollout;
  const failures = failuresOf(attempts).map(({ url, error, count, first, last }) => ({
    at: first,
    text: `${count} failed (${error}), ${((last - first) / 1000).toFixed(2)} s long, ${url}`,
  }));
  const transitions = mastership.transitions.map(({ at, name, state }) => ({ at, text: `${name} became ${state}` }));
  return [...failures, ...transitions]
    .sort((a, b) => a.at - b.at)
    .map(({ at, text }) => `- ${name}: at ${((at - begin) / 1000).toFixed(2)} s ${text}`);
}

function byColumn({ attempts }: Rollout): Map<(typeof COLUMNS)[number], Summary> {
  const found = new Map<(typeof COLUMNS)[number], Summary>();
  for (const column of COLUMNS) {
    const own = attempts.filter(({ url }) => columnOf(url) === column);
    if (own.length > 0) found.set(column, summaryOf(own));
  }
  return found;
}

function columnOf(url: string): (typeof COLUMNS)[number] {
  const { protocol, hostname } = new URL(url);
  const family: Family = hostname.startsWith("[") ? "ipv6" : "ipv4";
  return `${family === "ipv4" ? "IPv4" : "IPv6"} ${protocol === "https:" ? "HTTPS" : "HTTP"}`;
}

function cells(...texts: (string | number)[]): string {
  return `| ${texts.join(" | ")} |`;
}
