import type * as pulumi from "@pulumi/pulumi";
import type { Change, Pair, PlannedServer } from "../change/change";
import type { DeployedServer } from "../change/deployed";
import type { Context } from "./context";
import { login } from "./login";
import { type Door, farewell } from "./remote";

/**
 * What has to be done before this server is touched: that it lets the stack file's user in, and its farewell, if one is due
 * or was made before.
 */
export function beforeStop(
  { id, role }: PlannedServer,
  door: Door,
  context: Context,
  opts: { parent: pulumi.Resource },
  gate: pulumi.Resource[],
): pulumi.Resource[] {
  const { farewells, resized, replaced, kept } = context.change;
  const letIn = login(id, door, context, opts, gate);
  const why = farewells[id];
  const is = ({ planned }: Pair): boolean => planned.id === id;
  if (why !== undefined)
    return [
      farewell(id, { role, door, words: why, due: [...resized, ...replaced].some(is) }, opts, [...gate, ...letIn]),
    ];
  // What the refresh of this very run finds out may stop it as well: at least not together with others.
  return kept.some(is) ? [...gate, ...letIn] : letIn;
}

/** A door to a server that stands, before anything of it is changed. */
export type StandingDoor = (standing: DeployedServer, way: Pick<Door, "host" | "jump">) => Door;

/**
 * Has the load balancers and databases that leave for good stop serving, before the others forget them: Pulumi deletes them
 * only after it has changed all others, and a load balancer that nobody sends adverts to takes the VIPs.
 */
export function leave(
  { leaving, farewells, kept }: Pick<Change, "leaving" | "farewells" | "kept">,
  door: StandingDoor,
  opts: { parent: pulumi.Resource },
): pulumi.Resource[] {
  const reached = (each: DeployedServer): boolean =>
    each.role === "load-balancer" && each.pushed && each.way !== undefined;
  const balancers = leaving.filter(reached);
  const databases = leaving.filter(({ role, pushed }) => role === "database" && pushed);
  const others = kept.map(({ standing }) => standing).filter(reached);
  const doors = new Map([...balancers, ...others].map((each) => [each.id, door(each, { host: each.way! })]));
  const gone: pulumi.Resource[] = [];
  const say = ({ id, role }: DeployedServer, way: Door): void => {
    gone.push(farewell(id, { role, door: way, words: farewells[id]!, due: true }, opts, gone.slice(-1)));
  };
  for (const each of databases) {
    const jump = doors.get(each.id.replace(/^db-/, "lb-")) ?? [...doors.values()][0];
    if (jump) say(each, door(each, { host: each.addresses.internal![0]!, jump }));
  }
  for (const each of balancers) say(each, doors.get(each.id)!);
  return gone;
}
