import type * as pulumi from "@pulumi/pulumi";
import type { Change, PlannedServer } from "../change/change";
import type { DeployedServer } from "../change/deployed";
import { type Door, farewell } from "./remote";

/** What has to be done before this server is stopped: its farewell, if one is due or was made before. */
export function beforeStop(
  { id, role }: PlannedServer,
  door: Door,
  { farewells }: Change,
  opts: { parent: pulumi.Resource },
  gate: pulumi.Resource[],
): pulumi.Resource[] {
  const why = farewells[id];
  return why === undefined ? [] : [farewell(id, { role, door, why }, opts, gate)];
}

/**
 * Has the load balancers and databases that leave for good stop serving, before the others forget them: Pulumi deletes them
 * only after it has changed all others, and a load balancer that nobody sends adverts to takes the VIPs.
 */
export function leave(
  { leaving, farewells }: Pick<Change, "leaving" | "farewells">,
  door: (id: string, way: Pick<Door, "host" | "jump">) => Door,
  opts: { parent: pulumi.Resource },
): pulumi.Resource[] {
  const balancers = leaving.filter(({ role, pushed }) => role === "load-balancer" && pushed);
  const databases = leaving.filter(({ role, pushed }) => role === "database" && pushed);
  const doors = new Map(balancers.map((each) => [each.id, door(each.id, { host: each.addresses.external![0]! })]));
  const gone: pulumi.Resource[] = [];
  const say = ({ id, role }: DeployedServer, way: Door): void => {
    gone.push(farewell(id, { role, door: way, why: farewells[id]! }, opts, gone.slice(-1)));
  };
  for (const each of databases) {
    const jump = doors.get(each.id.replace(/^db-/, "lb-")) ?? [...doors.values()][0];
    if (jump) say(each, door(each.id, { host: each.addresses.internal![0]!, jump }));
  }
  for (const each of balancers) say(each, doors.get(each.id)!);
  return gone;
}
