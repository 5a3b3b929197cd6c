import type { Plan, PlannedAppServer, PlannedDatabase, PlannedLoadBalancer } from "../plan/plan";
import type { Deployed, DeployedServer } from "./deployed";

export type PlannedServer = PlannedLoadBalancer | PlannedDatabase | PlannedAppServer;

/** A server that runs and goes on running, or is to. */
export interface Pair {
  planned: PlannedServer;
  standing: DeployedServer;
}

/** What one `up` would do to the servers of a cluster, as far as plan and state tell. */
export interface Change {
  /** Nothing was built yet. */
  first: boolean;
  /** A database was pushed to once, wherever its machine is now. */
  founded: boolean;
  created: PlannedServer[];
  /** Everything was pushed to them once. */
  kept: Pair[];
  /** Made, but what belongs on them was never pushed whole: they serve nobody yet. */
  unfinished: Pair[];
  /** Deleted at the end. */
  leaving: DeployedServer[];
  /** Ids of those that are kept and that nothing may replace, whatever became of their ports. */
  held: string[];
  /** Of those that are kept: stopped, as Nova resizes them. */
  resized: Pair[];
  /**
   * Why each server that is to be stopped or to leave says farewell first; of those that did once, what was said then.
   * Pulumi runs a Command anew when its text changes, so the same is said in other words when it is tried again.
   */
  farewells: Record<string, string>;
  /** What each server that is kept has to prove itself after, by id: a farewell, also one whose end nobody heard. */
  after: Record<string, string>;
  /** Of those that are kept: the file names another zone than the one that the state has. */
  rezoned: Pair[];
}

/** @param mayReplace host names of servers without data whose replacement is meant */
export function changeOf(plan: Plan, deployed: Deployed, mayReplace: readonly string[] = []): Change {
  const planned = new Map(everyServer(plan).map((node) => [node.id, node]));
  const standing = new Map(deployed.servers.map((each) => [each.id, each]));
  const pairs = [...planned.values()].flatMap((node): Pair[] => {
    const found = standing.get(node.id);
    return found ? [{ planned: node, standing: found }] : [];
  });
  const kept = pairs.filter((pair) => pair.standing.pushed);
  const resized = kept.filter((pair) => pair.planned.flavor !== pair.standing.flavor);
  const leaving = deployed.servers.filter(({ id }) => !planned.has(id));
  const farewells: Record<string, string> = {
    ...Object.fromEntries(
      kept.flatMap(({ standing: { id, farewell } }) => (farewell === undefined ? [] : [[id, farewell]])),
    ),
    ...Object.fromEntries(
      resized.map(({ planned, standing }) => [
        planned.id,
        another(`${standing.flavor} to ${planned.flavor ?? ""}`, standing),
      ]),
    ),
    ...Object.fromEntries(leaving.map((standing) => [standing.id, another("leaves", standing)])),
  };
  return {
    first: deployed.servers.length === 0,
    founded: deployed.founded,
    created: [...planned.values()].filter(({ id }) => !standing.has(id)),
    kept,
    unfinished: pairs.filter((pair) => !pair.standing.pushed),
    leaving,
    held: kept.filter(({ standing }) => !mayReplace.includes(standing.hostname)).map(({ planned }) => planned.id),
    resized,
    farewells,
    after: Object.fromEntries(
      kept.flatMap(({ planned: { id }, standing }) => {
        const cut = standing.cutFarewell === undefined ? [] : [`${standing.cutFarewell} (cut)`];
        const said = [...(farewells[id] === undefined ? [] : [farewells[id]]), ...cut].join(", ");
        return said === "" ? [] : [[id, said]];
      }),
    ),
    rezoned: kept.filter((pair) => pair.planned.availabilityZone !== pair.standing.zone),
  };
}

/** Said for the same reason as last time, in other words. */
function another(why: string, { farewell }: DeployedServer): string {
  return farewell === why ? `${why}, again` : why;
}

/** In the order of a rollout. Of machines that somebody else built none: they are neither made nor deleted. */
export function everyServer(plan: Plan): PlannedServer[] {
  return plan.source === "existing" ? [] : [...plan.loadBalancers, ...plan.databases, ...plan.appServers];
}
