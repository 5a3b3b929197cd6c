import type * as pulumi from "@pulumi/pulumi";
import type { DeployedServer } from "../change/deployed";
import { filesBetween } from "../change/files";
import { HAPROXY_TIMERS } from "../plan/timers";
import type { Context, Gate } from "./context";
import type { StandingDoor } from "./farewell";
import { type Door, pause, pushBetween } from "./remote";

/**
 * Has servers do the old as well as the new, one after the other: the load balancers first, so that whoever is behind them may
 * be told.
 *
 * @returns what everybody's own push has to wait for
 */
export function moveServers(
  { plan, change, machines, nodeFiles }: Context,
  door: StandingDoor,
  opts: { parent: pulumi.Resource },
  gate: Gate,
): Gate {
  const jumps = jumpsOf(change.kept.map(({ standing }) => standing));
  let waits = gate;
  for (const { planned: node, standing } of change.kept) {
    const move = change.moves[node.id];
    if (!move) continue;
    const way = jumps(node.datacenter);
    const host =
      "external" in node
        ? { host: standing.way ?? node.external.ipv4 }
        : { host: node.internal, ...(way && { jump: door(way, { host: way.way! }) }) };
    const args = { role: node.role, door: door(standing, host), words: move.words, due: move.due };
    // The cloud's firewall has to know a new port before anybody asks there.
    const done = pushBetween(
      node.id,
      { ...args, files: filesBetween(plan, node, move, nodeFiles.sampleApp) },
      opts,
      move.due ? [...waits, ...machines.shared] : [],
    );
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
  const balancers = standing.filter((each) => each.role === "load-balancer" && each.way !== undefined);
  return (datacenter) => balancers.find(({ id }) => id === `lb-${datacenter}`) ?? balancers[0];
}
