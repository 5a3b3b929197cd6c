import type { Deployed } from "./deployed";
import type { Pair } from "./change";

/**
 * How an application moves to another port while load balancers go on asking at the old one: it listens on the new port, and
 * the machine redirects the old one to it; then the load balancers are told; then the machine's files are as planned.
 */
export interface Move {
  /** Where load balancers may ask for it beside the planned port. */
  former: number[];
  /** Of the last time; other ones when it is to be done. */
  words: string;
  due: boolean;
  /** Whether its files are not as planned yet, since that time. */
  open: boolean;
}

/** Until no load balancer asks at the former ports any more, for whoever was connected before it was told. */
export interface Pause {
  words: string;
  due: boolean;
}

/** By id. Of a load balancer to which a push was killed, the one file may run as well as the other. */
export function movesOf(kept: readonly Pair[], { bundles, cutBundles }: Deployed): Record<string, Move> {
  const balancers = kept.filter(({ planned }) => planned.role === "load-balancer").map(({ planned }) => planned.id);
  const asked = portsAsked([bundles, cutBundles].flatMap((texts) => balancers.map((id) => texts[id] ?? "")));
  return Object.fromEntries(
    kept.flatMap(({ planned, standing: { between, after } }): [string, Move][] => {
      if (planned.role !== "app-server") return [];
      const former = [...(asked.get(planned.internal) ?? [])]
        .filter((port) => port !== planned.port)
        .sort((a, b) => a - b);
      if (former.length > 0) {
        const words = `port ${former.join(" and ")} to ${planned.port}`;
        // Pulumi runs a Command anew when its text changes, and the server may have been elsewhere meanwhile.
        return [[planned.id, { former, words: between === words ? `${words}, again` : words, due: true, open: true }]];
      }
      if (between === undefined) return [];
      const open = !(after ?? "").split("; ").includes(between);
      return [[planned.id, { former, words: between, due: false, open }]];
    }),
  );
}

export function pauseOf(moves: Record<string, Move>, { pause: last }: Deployed): Pause | undefined {
  const open = Object.values(moves).filter((each) => each.open);
  if (open.length === 0) return last === undefined ? undefined : { words: last, due: false };
  const words = [...new Set(open.map((each) => each.words))].join(", ");
  return { words: last === words ? `${words}, again` : words, due: true };
}

/** By address, of haproxy.cfg as it was pushed. */
function portsAsked(bundles: readonly string[]): Map<string, Set<number>> {
  const asked = new Map<string, Set<number>>();
  for (const text of bundles) {
    for (const [, address, port] of text.matchAll(/^ +server \S+ ([0-9.]+):(\d+)/gm)) {
      asked.set(address!, (asked.get(address!) ?? new Set<number>()).add(Number(port)));
    }
  }
  return asked;
}
