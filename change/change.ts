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
  /** Of those that are kept: stopped, as Nova resizes them. */
  resized: Pair[];
  /**
   * Why each server that is to be stopped says farewell first; of those that did once, what was said then. Pulumi runs a
   * Command anew when its text changes, so the same thing is said in other words when it is tried again.
   */
  farewells: Record<string, string>;
  /** Of those that are kept: the file names another zone than the one that the state has. */
  rezoned: Pair[];
}

export function changeOf(plan: Plan, deployed: Deployed): Change {
  const planned = new Map(everyServer(plan).map((node) => [node.id, node]));
  const standing = new Map(deployed.servers.map((each) => [each.id, each]));
  const pairs = [...planned.values()].flatMap((node): Pair[] => {
    const found = standing.get(node.id);
    return found ? [{ planned: node, standing: found }] : [];
  });
  const kept = pairs.filter((pair) => pair.standing.pushed);
  const resized = kept.filter((pair) => pair.planned.flavor !== pair.standing.flavor);
  return {
    first: deployed.servers.length === 0,
    founded: deployed.founded,
    created: [...planned.values()].filter(({ id }) => !standing.has(id)),
    kept,
    unfinished: pairs.filter((pair) => !pair.standing.pushed),
    leaving: deployed.servers.filter(({ id }) => !planned.has(id)),
    resized,
    farewells: {
      ...Object.fromEntries(
        kept.flatMap(({ standing: { id, farewell } }) => (farewell === undefined ? [] : [[id, farewell]])),
      ),
      ...Object.fromEntries(
        resized.map(({ planned, standing: { id, flavor, farewell } }) => {
          const why = `${flavor} to ${planned.flavor ?? ""}`;
          return [id, farewell === why ? `${why}, again` : why];
        }),
      ),
    },
    rezoned: kept.filter((pair) => pair.planned.availabilityZone !== pair.standing.zone),
  };
}

/** In the order of a rollout. Of machines that somebody else built none: they are neither made nor deleted. */
export function everyServer(plan: Plan): PlannedServer[] {
  return plan.source === "existing" ? [] : [...plan.loadBalancers, ...plan.databases, ...plan.appServers];
}
