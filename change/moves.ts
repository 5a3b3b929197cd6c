import type { OwnAddress, Plan, PlannedAppServer, PlannedLoadBalancer } from "../plan/plan";
import type { Transition } from "../plan/transition";
import type { Bind } from "../plan/haproxy";
import type { Pair, PlannedServer } from "./change";
import { advertOf, type Adverts, advertsIn, advertsOf, meanwhile } from "./adverts";
import type { Deployed } from "./deployed";
import { fileIn } from "./files";
import { isOpen, textsOf } from "./texts";

/**
 * What a server does between the old and the new, where both sides of something change and each is changed one server after
 * the other: where applications listen, where they look for the database, which gateway servers have, by what load balancers
 * hear each other, which addresses of their own those have. First load balancers do both; then the servers behind them are
 * told, applications answering on their old port as well; then everybody's files are as planned.
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

/** What may be on all machines, put together. */
interface Found {
  /** By the applications' addresses: at which ports load balancers ask. */
  asked: ReadonlyMap<string, ReadonlySet<number>>;
  /** Other ones than planned. */
  endpoints: Bind[];
  gateways: string[];
  /** Of applications that may not answer at the planned port yet, one at which they do; by address. */
  ports: Record<string, number>;
  adverts: Adverts[];
  /** By load balancers' ids, what they may have beside their planned addresses; none where nobody has. */
  formerly: Record<string, OwnAddress[]>;
}

/** By id. */
export function movesOf(plan: Plan, kept: readonly Pair[], deployed: Deployed): Record<string, Move> {
  const found = foundOf(plan, kept, deployed);
  return Object.fromEntries(
    kept.flatMap(({ planned, standing }): [string, Move][] => {
      const { between } = standing;
      const { why, ...own } = moveOf(planned, textsOf(standing, deployed), plan, found);
      if (why.length > 0) {
        const words = why.join(", ");
        // Pulumi runs a Command anew when its text changes, and the server may have been elsewhere meanwhile.
        return [[planned.id, { ...own, words: between === words ? `${words}, again` : words, due: true, open: true }]];
      }
      if (between === undefined) return [];
      return [[planned.id, { ...own, words: between, due: false, open: isOpen(standing, deployed) }]];
    }),
  );
}

function foundOf(plan: Plan, kept: readonly Pair[], deployed: Deployed): Found {
  const [balancers, behind] = [true, false].map((edge) =>
    kept
      .filter(({ planned }) => (planned.role === "load-balancer") === edge)
      .flatMap(({ standing }) => textsOf(standing, deployed)),
  ) as [string[], string[]];
  const asked = portsAsked(balancers);
  return {
    asked,
    endpoints: endpointsIn(behind, plan),
    gateways: gatewaysIn(behind, plan),
    ports: Object.fromEntries(
      kept.flatMap(({ planned, standing }): [string, number][] => {
        if (planned.role !== "app-server") return [];
        const answered = portsAnswered(textsOf(standing, deployed));
        const [port] = answered;
        return port === undefined || answered.includes(planned.port) ? [] : [[planned.internal, port]];
      }),
    ),
    adverts: balancers.map(advertsIn),
    formerly: formerAddresses(kept, deployed),
  };
}

/** On the external network, of families that it is to go on having an address of. */
function formerAddresses(kept: readonly Pair[], deployed: Deployed): Found["formerly"] {
  const found = kept.flatMap(({ planned, standing }): [string, OwnAddress[]][] => {
    if (planned.role !== "load-balancer") return [];
    const { ipv4, ipv6 } = planned.external;
    const own = textsOf(standing, deployed)
      .flatMap((text) => [...fileIn(text, "/etc/ha-cluster/addresses").matchAll(/^(\S+) (\S+)\/(\d+) \S+$/gm)])
      .filter(([, device]) => device === planned.externalInterface)
      .map(([, , address, length]) => ({ address: address!, prefixLength: Number(length) }))
      .filter(({ address }) => ![ipv4, ipv6].includes(address) && (ipv6 !== undefined || !address.includes(":")));
    return [[planned.id, [...new Map(own.map((each) => [each.address, each])).values()]]];
  });
  return found.some(([, own]) => own.length > 0) ? Object.fromEntries(found) : {};
}

/** @returns nothing in `why` where it can be as planned at once */
function moveOf(
  node: PlannedServer,
  texts: readonly string[],
  plan: Plan,
  { asked, endpoints, gateways, ports, adverts: said, formerly }: Found,
): Pick<Move, "former" | "transition"> & { why: string[] } {
  if (node.role === "load-balancer") {
    const adverts = advertsMeanwhile(node, said);
    const why = [
      ...endpoints.map(({ address, port }) => `the database also at ${address}:${port}`),
      ...gateways.map((each) => `${each} also a gateway`),
      ...(Object.keys(adverts).length > 0 ? [`${Object.keys(adverts).join(" and ")} as before`] : []),
      ...ownAddresses(node.id, formerly),
    ];
    return { former: [], transition: { endpoints, gateways, adverts, ports, formerly }, why };
  }
  const gateway = gatewaysIn(texts, plan).map((each) => `gateway ${each} to ${plan.internal.vip}`);
  if (node.role === "database") return { former: [], why: gateway };
  const former = formerPorts(node, asked);
  const why = [
    ...gateway,
    ...(former.length > 0 ? [`port ${former.join(" and ")} to ${node.port}`] : []),
    ...endpointsIn(texts, plan).map(
      ({ address, port }) => `database ${address}:${port} to ${plan.database!.address}:${plan.database!.port}`,
    ),
  ];
  return { former, why };
}

/** Also of one that has its new address alone, as one does that a cut run got to: its neighbours move beside it. */
function ownAddresses(id: string, formerly: Found["formerly"]): string[] {
  const own = formerly[id];
  if (own === undefined) return [];
  return [own.length > 0 ? `${own.map(({ address }) => address).join(" and ")} as well` : "neighbours that move"];
}

/** Whether a load balancer is to have other addresses of its own, or a neighbour is. */
export function changesAddresses(move: Move | undefined): boolean {
  return move?.due === true && Object.keys(move.transition?.formerly ?? {}).length > 0;
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

/** Where no way leads from what is said now to what is planned, none is shown: refused; see checks/transitions.ts. */
function advertsMeanwhile({ syncGroup }: PlannedLoadBalancer, found: readonly Adverts[]): Transition["adverts"] {
  const wanted = advertsOf(syncGroup);
  const way = meanwhile(found, wanted) ?? wanted;
  return Object.fromEntries(
    Object.entries(way).flatMap(([name, said]) =>
      JSON.stringify(said) === JSON.stringify(wanted[name]) ? [] : [[name, advertOf(said)]],
    ),
  );
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

/** Whichever of these texts an application has. */
function portsAnswered(bundles: readonly string[]): number[] {
  const [first = [], ...others] = bundles.map((text) => {
    const [, listens] = /^LISTEN_PORT=(\d+)$/m.exec(fileIn(text, "/etc/ha-cluster/app.env")) ?? [];
    const redirects = fileIn(text, "/etc/nftables.conf").matchAll(/tcp dport (\d+) redirect to :(\d+)/g);
    return [listens, ...[...redirects].flatMap(([, from, to]) => (to === listens ? [from] : []))].map(Number);
  });
  return first.filter((port) => others.every((each) => each.includes(port)));
}

function formerPorts({ internal, port }: PlannedAppServer, asked: Found["asked"]): number[] {
  return [...(asked.get(internal) ?? [])].filter((each) => each !== port).sort((a, b) => a - b);
}

/** Where applications look for the database, each once, but for where they are to. */
function endpointsIn(bundles: readonly string[], { database }: Plan): Bind[] {
  const found = bundles.flatMap((text) => {
    const environment = fileIn(text, "/etc/ha-cluster/app.env");
    const [, address] = /^DATABASE_HOST=(.+)$/m.exec(environment) ?? [];
    const [, port] = /^DATABASE_PORT=(\d+)$/m.exec(environment) ?? [];
    return address !== undefined && port !== undefined ? [{ address, port: Number(port) }] : [];
  });
  const once = [...new Map(found.map((each) => [`${each.address}:${each.port}`, each])).values()];
  return once.filter(({ address, port }) => address !== database?.address || port !== database.port);
}

/** Of servers on the internal network alone, each once, but for the planned one. */
function gatewaysIn(bundles: readonly string[], { internal }: Plan): string[] {
  const found = bundles.flatMap((text) => [
    ...fileIn(text, "/etc/ha-cluster/addresses").matchAll(/^\S+ \S+\/\d+ ([0-9.]+)$/gm),
  ]);
  return [...new Set(found.map(([, gateway]) => gateway!))].filter((each) => each !== internal.vip);
}
