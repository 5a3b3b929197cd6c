import type * as pulumi from "@pulumi/pulumi";
import type { Change } from "../change/change";
import { isAlone } from "../change/rollout";
import { inTheirOrder } from "../change/route";
import type { Plan, PlannedAppServer, PlannedDatabase, PlannedLoadBalancer } from "../plan/plan";
import type { Gate } from "./context";

interface Made {
  /** Finished when it has proved that it serves. */
  done: pulumi.Resource;
}

export interface Makers<Balancer, Database, App> {
  /** What else the applications wait for, on a load balancer. */
  pause: (gate: Gate, by: Balancer | undefined) => Gate;
  balancer: (node: PlannedLoadBalancer, gate: Gate) => Balancer;
  database: (node: PlannedDatabase, jump: Balancer, gate: Gate) => Database;
  app: (node: PlannedAppServer, jump: Balancer, gate: Gate) => App;
}

/**
 * Everything one after the other: each is changed only when the one before has proved that it serves. Those that stand come
 * before those that are new, so that firewalls, peers and backends know a newcomer when it comes: a load balancer that its
 * peers do not know yet would take the VIPs, and reach no database. For the same reason those come last of them that a run
 * which was cut had sent away. Who moves to another zone goes when that has room for it.
 * Where {@link isAlone} says so no two roles are changed side by side either: whoever is made in what is new of the internal
 * network finds everybody else there.
 *
 * @param gate what has to be done before any of it
 */
export function inTurn<Balancer extends Made, Database extends Made, App extends Made>(
  plan: Plan,
  change: Pick<Change, "kept" | "resized" | "replaced" | "route" | "pause" | "otherLength" | "returning">,
  gate: Gate,
  make: Makers<Balancer, Database, App>,
): { balancers: Balancer[]; databases: Database[]; apps: App[] } {
  const { kept } = change;
  const standing = new Set(kept.map(({ planned }) => planned.id));
  const [oldBalancers, newBalancers] = parted(inTheirOrder(plan.loadBalancers, change), ({ id }) => standing.has(id));
  const jumps = new Map<string, Balancer>();
  const balancers: Balancer[] = [];
  const databases: Database[] = [];
  const addBalancers = (nodes: PlannedLoadBalancer[], after: Gate): void => {
    for (const node of nodes) {
      const made = make.balancer(node, [...(balancers.length > 0 ? last(balancers) : gate), ...after]);
      balancers.push(made);
      jumps.set(node.datacenter, made);
    }
  };
  const alone = isAlone(change);
  const addDatabases = (nodes: PlannedDatabase[]): void => {
    for (const node of nodes) {
      const before = databases.length > 0 ? last(databases) : alone ? last(balancers) : gate;
      databases.push(make.database(node, jump(jumps, node), before));
    }
  };

  addBalancers(oldBalancers, []);
  // The way to a database of a new load balancer's datacenter is that load balancer: it can't wait for it.
  const [reached, others] = parted(
    inTheirOrder(plan.databases, change),
    (node) => standing.has(node.id) && jumps.has(node.datacenter),
  );
  addDatabases(reached);
  addBalancers(newBalancers, last(databases));
  addDatabases(parted(others, ({ id }) => standing.has(id)).flat());
  const apps: App[] = [];
  const first = make.pause(alone ? [...last(balancers), ...last(databases)] : gate, balancers[0]);
  for (const node of parted(plan.appServers, ({ id }) => standing.has(id)).flat()) {
    const before = apps.length > 0 ? last(apps) : first;
    apps.push(make.app(node, jump(jumps, node), before));
  }
  return { balancers, databases, apps };
}

function jump<Balancer>(jumps: ReadonlyMap<string, Balancer>, { id, datacenter }: { id: string; datacenter: string }) {
  const found = jumps.get(datacenter);
  if (!found) throw new Error(`${id}: datacenter ${datacenter} has no load balancer`);
  return found;
}

function last(made: readonly Made[]): Gate {
  return made.slice(-1).map(({ done }) => done);
}

function parted<T>(all: readonly T[], first: (each: T) => boolean): [T[], T[]] {
  return [all.filter(first), all.filter((each) => !first(each))];
}
