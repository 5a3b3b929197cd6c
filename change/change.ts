import { network } from "../plan/addresses";
import type { Plan, PlannedAppServer, PlannedDatabase, PlannedLoadBalancer } from "../plan/plan";
import type { Deployed, DeployedServer } from "./deployed";
import { afterOf, OTHER_PUSHES, type OtherPush } from "./after";
import { fileIn } from "./files";
import { type Login, loginsOf } from "./logins";
import { type Move, movesOf, type Pause, pauseOf } from "./moves";
import { type Rooms, type Route, inOrder, routesOf } from "./route";
import { textsOf } from "./texts";

export type PlannedServer = PlannedLoadBalancer | PlannedDatabase | PlannedAppServer;

/** A server that runs and goes on running, or is to. */
export interface Pair {
  planned: PlannedServer;
  standing: DeployedServer;
}

/** A server that is to be stopped, or deleted and made anew. */
export interface Replacement extends Pair {
  /** Each in words: the flavor, image or zone that it has, and the one that the file says. */
  why: string[];
}

/** What an operator has said is meant. */
export interface Intent {
  /** Ids of databases that may be deleted; the stack file's. */
  mayDelete: readonly string[];
  /** Ids of servers that may be made anew for another image or zone; the stack file's. */
  mayReplace: readonly string[];
  /** Host names of servers that `npm run replace` was told to. */
  mayRepair: readonly string[];
}

/** What only the cloud knows; names say it where it was not asked. */
export interface Cloud {
  /** Glance's id by the name of an image. */
  images: Record<string, string>;
  /** Where Nova says that servers stand, by their ids. */
  zones: Record<string, string>;
  /** Which zones take one more server of a kind; asked by an `up` alone, and only where a move needs it. */
  rooms?: Rooms;
}

export const NOTHING_MEANT: Intent = { mayDelete: [], mayReplace: [], mayRepair: [] };

export const UNASKED: Cloud = { images: {}, zones: {} };

/** The plan's servers and the state's, matched by id. */
export interface Matched {
  created: PlannedServer[];
  /** Everything was pushed to them once. */
  kept: Pair[];
  /** Made, but what belongs on them was never pushed whole: they serve nobody yet. */
  unfinished: Pair[];
  /** Deleted at the end. */
  leaving: DeployedServer[];
  /** Of those that are kept: the file names another zone than the one that the state has. */
  rezoned: Pair[];
}

/** What one `up` would do to the servers of a cluster, as far as plan and state tell. */
export interface Change extends Matched {
  /** Nothing was built yet. */
  first: boolean;
  /** A database was pushed to once, wherever its machine is now. */
  founded: boolean;
  /** What servers of groups are called of which one was pushed to once, wherever its machine is now. */
  foundedGroups: string[];
  /** Ids of those that are kept and that nothing may replace, whatever became of their ports. */
  held: string[];
  /** Of those that are kept: stopped, as Nova resizes them. */
  resized: Replacement[];
  /** Of those that are kept in their place: deleted, and made anew; in the order in which they go. */
  replaced: Replacement[];
  /** Of those, the load balancers and databases that move to another zone. */
  route: Route;
  /**
   * Of those that are kept: to be resized or replaced, but not now, as another server is lost or was never finished. It comes
   * first: they stand in for it.
   */
  waiting: Replacement[];
  /** Of those that are unfinished: made anew, as the file no longer says what they were made of; they serve nobody. */
  remade: Replacement[];
  /** Glance's id of each image by its name, as far as it was asked: two builds may have one name. */
  images: Record<string, string>;
  /**
   * Ids of those that are kept and were told another length of the internal network than the file's: until they know it, they
   * look for what is new there by way of their gateway.
   */
  otherLength: string[];
  /**
   * Ids of those that are kept and had said farewell for good, by a run that was cut: those that did not leave may have forgotten
   * them, and have to know them before they serve again.
   */
  returning: string[];
  /** Ids that `mayReplace` names of servers that have what the file says already. */
  needless: string[];
  /**
   * Why each server that is to be stopped or to leave says farewell first; of those that did once, what was said then.
   * Pulumi runs a Command anew when its text changes, so the same is said in other words when it is tried again.
   */
  farewells: Record<string, string>;
  /**
   * What each server that was pushed to has to prove itself after, by id: a farewell, a move, or a run that was cut. Those that
   * leave are among them, and nobody asks.
   */
  after: Record<string, string>;
  /** The same for the other pushes, which only a run that was cut leaves in doubt; also of servers that it left unfinished. */
  othersAfter: Record<OtherPush, Record<string, string>>;
  /** What each server does, or did, between the old and the new; by id. */
  moves: Record<string, Move>;
  /** Between load balancers and applications, while some of those move. */
  pause?: Pause;
  /** How each server came, or comes, to let in another user than the one that it was made with; by id. */
  logins: Record<string, Login>;
}

export function matched(plan: Plan, deployed: Deployed): Matched {
  const planned = everyServer(plan);
  const standing = new Map(deployed.servers.map((each) => [each.id, each]));
  const ids = new Set(planned.map(({ id }) => id));
  const pairs = planned.flatMap((node): Pair[] => {
    const found = standing.get(node.id);
    return found ? [{ planned: node, standing: found }] : [];
  });
  const kept = pairs.filter((pair) => pair.standing.pushed);
  return {
    created: planned.filter(({ id }) => !standing.has(id)),
    kept,
    unfinished: pairs.filter((pair) => !pair.standing.pushed),
    leaving: deployed.servers.filter(({ id }) => !ids.has(id)),
    rezoned: kept.filter((pair) => pair.planned.availabilityZone !== pair.standing.zone),
  };
}

export function changeOf(
  plan: Plan,
  deployed: Deployed,
  { mayReplace, mayRepair }: Intent = NOTHING_MEANT,
  cloud: Cloud = UNASKED,
): Change {
  const servers = matched(plan, deployed);
  const { created, kept, unfinished, leaving } = servers;
  const lost = [...created.filter(({ id }) => deployed.traces.includes(id)), ...unfinished.map((pair) => pair.planned)];
  const wanted = kept.flatMap((pair): Replacement[] => {
    const why = mayReplace.includes(pair.planned.id) ? differences(pair, cloud) : [];
    return why.length > 0 ? [{ ...pair, why }] : [];
  });
  const grown = kept.flatMap((pair): Replacement[] =>
    pair.planned.flavor === pair.standing.flavor || wanted.some((each) => each.planned.id === pair.planned.id)
      ? []
      : [{ ...pair, why: [`${pair.standing.flavor} to ${pair.planned.flavor ?? ""}`] }],
  );
  const [replaced, resized, waiting] = lost.length > 0 ? [[], [], [...wanted, ...grown]] : [wanted, grown, []];
  const route = routesOf(kept, replaced, cloud.zones, cloud.rooms ?? {});
  const farewells: Record<string, string> = {
    ...Object.fromEntries(
      kept.flatMap(({ standing: { id, farewell } }) => (farewell === undefined ? [] : [[id, farewell]])),
    ),
    ...Object.fromEntries(resized.map(({ planned, standing, why }) => [planned.id, another(why.join(", "), standing)])),
    ...Object.fromEntries(replaced.map(({ standing, why }) => [standing.id, another(why.join(", "), standing)])),
    ...Object.fromEntries(leaving.map((standing) => [standing.id, another(LEAVES, standing)])),
  };
  const moves = movesOf(plan, kept, deployed);
  const pause = pauseOf(moves, kept, deployed);
  const afterEach = (
    said: Deployed["after"],
    doneTo: (id: string) => [words: string[], due: boolean],
  ): Record<string, string> =>
    Object.fromEntries(
      Object.entries(said).flatMap(([id, last]) => {
        const after = afterOf(last, ...doneTo(id), deployed.rollout);
        return after === undefined ? [] : [[id, after]];
      }),
    );
  return {
    first: deployed.servers.length === 0,
    founded: deployed.founded,
    foundedGroups: deployed.foundedGroups,
    ...servers,
    held: kept.filter(({ standing }) => !mayRepair.includes(standing.hostname)).map(({ planned }) => planned.id),
    resized,
    replaced: inOrder(replaced, route.steps, ({ planned }) => planned.id),
    route,
    waiting,
    remade: unfinished.flatMap((pair): Replacement[] => {
      const why = pair.standing.adopted ? [] : differences(pair, cloud, { byName: true });
      return why.length > 0 ? [{ ...pair, why }] : [];
    }),
    images: cloud.images,
    otherLength: otherLength(plan, kept, deployed),
    returning: kept
      .filter(({ standing: { id, farewell } }) => {
        const proved = deployed.after[id]?.split("; ") ?? [];
        return farewell?.startsWith(LEAVES) === true && !proved.includes(farewell);
      })
      .map(({ planned }) => planned.id),
    needless: kept
      .filter((pair) => mayReplace.includes(pair.planned.id) && differences(pair, cloud).length === 0)
      .map(({ planned }) => planned.id),
    farewells,
    after: afterEach(deployed.after, (id) => {
      const [farewell, move] = [farewells[id], moves[id]];
      const before = kept.find(({ planned }) => planned.id === id)?.standing.farewell;
      return [[farewell, move?.words].filter((each) => each !== undefined), farewell !== before || move?.due === true];
    }),
    othersAfter: Object.fromEntries(
      OTHER_PUSHES.map((what) => [what, afterEach(deployed.othersAfter[what], () => [[], false])]),
    ) as Change["othersAfter"],
    moves,
    ...(pause && { pause }),
    logins: loginsOf(plan.sshUser, [...kept, ...unfinished]),
  };
}

function otherLength({ internal }: Plan, kept: readonly Pair[], deployed: Deployed): string[] {
  const told = ({ planned, standing }: Pair): string[] =>
    textsOf(standing, deployed).flatMap((text) =>
      [...fileIn(text, "/etc/ha-cluster/addresses").matchAll(/^\S+ ([0-9.]+)\/(\d+) \S+$/gm)].flatMap(
        ([, address, length]) => (address === planned.internal ? [length!] : []),
      ),
    );
  const { prefixLength } = network(internal.cidr);
  return kept
    .filter((pair) => told(pair).some((each) => Number(each) !== prefixLength))
    .map(({ planned }) => planned.id);
}

/**
 * What can't be changed on a machine, and is otherwise than the file says.
 *
 * @param options.byName an image of the same name is the same: a server that is still being finished is not begun anew for a
 * newer build
 */
export function differences(
  { planned, standing }: Pair,
  { images, zones }: Cloud,
  { byName = false }: { byName?: boolean } = {},
): string[] {
  const wanted = images[planned.image ?? ""];
  const sameName = planned.image === standing.image;
  const sameImage = wanted === undefined ? sameName : wanted === standing.imageId || (byName && sameName);
  const zone = zones[planned.id] ?? standing.zone;
  return [
    ...(sameImage ? [] : [`image ${image(standing.image, standing.imageId)} to ${image(planned.image ?? "", wanted)}`]),
    ...(zone === planned.availabilityZone ? [] : [`zone ${zone} to ${planned.availabilityZone}`]),
  ];
}

/** Providers give a newer build the name of the older one. */
function image(name: string, id: string | undefined): string {
  return id === undefined ? name : `${name} (${id.slice(0, 8)})`;
}

/** What is said to a server that goes for good. */
const LEAVES = "leaves";

/** Said for the same reason as last time, in other words. */
function another(why: string, { farewell }: DeployedServer): string {
  return farewell === why ? `${why}, again` : why;
}

/** In the order of a rollout. Of machines that somebody else built none: they are neither made nor deleted. */
export function everyServer(plan: Plan): PlannedServer[] {
  return plan.source === "existing" ? [] : [...plan.loadBalancers, ...plan.databases, ...plan.appServers];
}
