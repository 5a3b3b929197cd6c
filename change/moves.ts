import type { Plan, PlannedAppServer, PlannedLoadBalancer } from "../plan/plan";
import type { Transition } from "../plan/transition";
import type { Bind } from "../plan/haproxy";
import type { Pair } from "./change";
import { type Adverts, advertsIn, advertsOf, meanwhile } from "./adverts";
import type { Deployed } from "./deployed";
import { fileIn } from "./files";

/**
 * What a server does between the old and the new, where both sides of something change and each is changed one server after
 * the other: where applications listen, where they look for the database, which gateway servers have, by what load balancers
 * hear each other. First load balancers do both; then the servers behind them are told, applications answering on their old
 * port as well; then everybody's files are as planned.
 */
export interface Move {
  /** Of applications: where load balancers may ask for it beside the planned port. */
  former: number[];
  /** Of load balancers. */
  transition?: Transition;
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

/** By id. */
export function movesOf(plan: Plan, kept: readonly Pair[], deployed: Deployed): Record<string, Move> {
  const texts = Object.fromEntries(kept.map((pair) => [pair.planned.id, textsOf(pair, deployed)]));
  const balancers = kept.filter(({ planned }) => planned.role === "load-balancer");
  const behind = kept.filter(({ planned }) => planned.role !== "load-balancer");
  const asked = portsAsked(balancers.flatMap(({ planned }) => texts[planned.id]!));
  const servers = behind.flatMap(({ planned }) => texts[planned.id]!);
  const endpoints = endpointsIn(servers).filter((each) => !isAt(each, plan.database));
  const gateways = gatewaysIn(servers).filter((each) => each !== plan.internal.vip);
  const ports = Object.fromEntries(
    kept.flatMap(({ planned }): [string, number][] => {
      const [port] = planned.role === "app-server" ? formerPorts(planned, asked) : [];
      return port === undefined ? [] : [[planned.internal, port]];
    }),
  );
  const found = balancers.flatMap(({ planned }) => texts[planned.id]!.map(advertsIn)).filter(speaks);

  return Object.fromEntries(
    kept.flatMap(({ planned, standing: { between, after } }): [string, Move][] => {
      const own = texts[planned.id]!;
      const why: string[] = [];
      const move: Pick<Move, "former" | "transition"> = { former: [] };
      if (planned.role === "load-balancer") {
        const adverts = advertsMeanwhile(planned, found);
        move.transition = { endpoints, gateways, adverts, ports };
        why.push(
          ...endpoints.map(({ address, port }) => `the database also at ${address}:${port}`),
          ...gateways.map((each) => `${each} also a gateway`),
          ...(Object.keys(adverts).length > 0 ? [`${Object.keys(adverts).join(" and ")} as before`] : []),
        );
      } else {
        why.push(...gatewaysIn(own).flatMap((each) => changed("gateway", each, plan.internal.vip)));
      }
      if (planned.role === "app-server") {
        move.former = formerPorts(planned, asked);
        if (move.former.length > 0) why.push(`port ${move.former.join(" and ")} to ${planned.port}`);
        why.push(
          ...endpointsIn(own)
            .filter((each) => !isAt(each, plan.database))
            .map(
              ({ address, port }) => `database ${address}:${port} to ${plan.database!.address}:${plan.database!.port}`,
            ),
        );
      }
      if (why.length > 0) {
        const words = why.join(", ");
        // Pulumi runs a Command anew when its text changes, and the server may have been elsewhere meanwhile.
        return [[planned.id, { ...move, words: between === words ? `${words}, again` : words, due: true, open: true }]];
      }
      if (between === undefined) return [];
      return [[planned.id, { ...move, words: between, due: false, open: isOpen({ between, after }) }]];
    }),
  );
}

export function pauseOf(
  moves: Record<string, Move>,
  kept: readonly Pair[],
  { pause: last }: Deployed,
): Pause | undefined {
  const open = kept.flatMap(({ planned: { id, role } }) =>
    role === "app-server" && moves[id]?.open === true ? [moves[id]] : [],
  );
  if (open.length === 0) return last === undefined ? undefined : { words: last, due: false };
  const words = [...new Set(open.map((each) => each.words))].join(", ");
  return { words: last === words ? `${words}, again` : words, due: true };
}

/** Whether what was pushed for the time between may still be what the server has. */
function isOpen({ between, after }: Pick<Pair["standing"], "between" | "after">): boolean {
  return between !== undefined && !(after ?? "").split("; ").includes(between);
}

/** Each that may be what the server has: of a push that was killed the old one as well as the new. */
function textsOf(
  { planned: { id }, standing }: Pair,
  { bundles, cutBundles, betweens, cutBetweens }: Deployed,
): string[] {
  const texts = [bundles[id], cutBundles[id], isOpen(standing) ? betweens[id] : undefined, cutBetweens[id]];
  return texts.filter((each) => each !== undefined);
}

/** A bundle of a release before the first one with keepalived's file in it is none that anybody runs. */
function speaks(adverts: Adverts): boolean {
  return Object.keys(adverts).length > 0;
}

/** Where no way leads from what is said now to what is planned, none is shown: refused; see checks/transitions.ts. */
function advertsMeanwhile({ syncGroup }: PlannedLoadBalancer, found: readonly Adverts[]): Transition["adverts"] {
  const wanted = advertsOf(syncGroup);
  const way = meanwhile(found, wanted) ?? wanted;
  return Object.fromEntries(
    Object.entries(way).flatMap(([name, { routerId, addresses }]) =>
      JSON.stringify(way[name]) === JSON.stringify(wanted[name]) ? [] : [[name, { routerId, addresses }]],
    ),
  );
}

function changed(what: string, from: string, to: string): string[] {
  return from === to ? [] : [`${what} ${from} to ${to}`];
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

function formerPorts({ internal, port }: PlannedAppServer, asked: ReadonlyMap<string, Set<number>>): number[] {
  return [...(asked.get(internal) ?? [])].filter((each) => each !== port).sort((a, b) => a - b);
}

/** Where applications look for the database, each once. */
function endpointsIn(bundles: readonly string[]): Bind[] {
  const found = bundles.flatMap((text) => {
    const environment = fileIn(text, "/etc/ha-cluster/app.env");
    const [, address] = /^DATABASE_HOST=(.+)$/m.exec(environment) ?? [];
    const [, port] = /^DATABASE_PORT=(\d+)$/m.exec(environment) ?? [];
    return address !== undefined && port !== undefined ? [{ address, port: Number(port) }] : [];
  });
  return [...new Map(found.map((each) => [`${each.address}:${each.port}`, each])).values()];
}

function isAt({ address, port }: Bind, database: Plan["database"]): boolean {
  return address === database?.address && port === database.port;
}

/** Of servers on the internal network alone, each once. */
function gatewaysIn(bundles: readonly string[]): string[] {
  const lines = bundles.flatMap((text) => fileIn(text, "/etc/ha-cluster/addresses").split("\n").slice(1));
  const gateways = lines.map((line) => line.split(" ")[2]).filter((each) => each !== undefined && each !== "-");
  return [...new Set(gateways as string[])];
}
