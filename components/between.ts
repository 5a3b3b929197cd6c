import type * as pulumi from "@pulumi/pulumi";
import type { DeployedServer } from "../change/deployed";
import type { StandingDoor } from "./farewell";
import { HAPROXY_TIMERS } from "../plan/timers";
import { appServerFiles } from "../render/files";
import type { Context, Gate } from "./context";
import { type Door, pause, pushBetween } from "./remote";

/**
 * Has applications that move to another port answer on both, one after the other, before any load balancer is told.
 *
 * @returns what the load balancers have to wait for
 */
export function moveApplications(
  { plan, change, nodeFiles, machines }: Context,
  door: StandingDoor,
  opts: { parent: pulumi.Resource },
  gate: Gate,
): Gate {
  const jumps = jumpsOf(change.kept.map(({ standing }) => standing));
  let waits = gate;
  for (const { planned: node, standing } of change.kept) {
    const move = change.moves[node.id];
    if (node.role !== "app-server" || !move) continue;
    const way = jumps(node.datacenter);
    const host = { host: node.internal, ...(way && { jump: door(way, { host: way.addresses.external![0]! }) }) };
    const files = appServerFiles(plan, node, nodeFiles.sampleApp, move.former);
    const args = { role: node.role, door: door(standing, host), files, words: move.words, due: move.due };
    // The cloud's firewall has to know the new port before anybody asks there.
    const done = pushBetween(node.id, args, opts, move.due ? [...waits, ...machines.shared] : []);
    if (move.due) waits = [done];
  }
  return waits;
}

/** haproxy's old processes ask at the old port for those who were connected before: as long as one may keep still. */
export function letPass(
  { change }: Context,
  door: Door | undefined,
  opts: { parent: pulumi.Resource },
  gate: Gate,
): Gate {
  if (!change.pause || !door) return gate;
  const { words, due } = change.pause;
  const done = pause("ports-pause", { door, seconds: HAPROXY_TIMERS.httpKeepAlive + 5, words, due }, opts, gate);
  return due ? [done] : gate;
}

function jumpsOf(standing: readonly DeployedServer[]): (datacenter: string) => DeployedServer | undefined {
  const balancers = standing.filter(({ role, addresses }) => role === "load-balancer" && addresses.external?.[0]);
  return (datacenter) => balancers.find(({ id }) => id === `lb-${datacenter}`) ?? balancers[0];
}
