import type * as pulumi from "@pulumi/pulumi";
import type { Zone } from "../plan/firewall";
import type { PlannedAppServer, PlannedDatabase } from "../plan/plan";
import type { ConfigFile } from "../render/bundle";
import type { Context, Gate } from "./context";
import type { LoadBalancer } from "./loadBalancer";
import type { Machine } from "./machines/machine";
import { beforeStop } from "./farewell";
import { type Door, type Founding, push } from "./remote";

export interface InternalServerArgs<Node> {
  context: Context;
  node: Node;
  /** The load balancer of its datacenter, by way of which it is reached. */
  jump: LoadBalancer;
  gate: Gate;
}

/** A machine on the internal network alone, and what is pushed to it. */
export function internalServer(
  parent: pulumi.Resource,
  { context, node, jump, gate }: InternalServerArgs<PlannedDatabase | PlannedAppServer>,
  zone: Zone,
  content: { files: ConfigFile[]; secrets: ConfigFile[]; founding?: Founding },
): { machine: Machine; done: pulumi.Resource } {
  const before = (door: Door): pulumi.Resource[] => beforeStop(node, door, context, { parent }, [...gate, jump.done]);
  const machine = context.machines.internalServer(node, zone, jump.door, before, parent);
  const done = push(
    node.id,
    {
      role: node.role,
      machine,
      scripts: context.nodeFiles.scripts,
      change: context.change,
      ...content,
    },
    { parent },
    // Its jump host has to be done first: loading the firewall there for the first time cuts connections that conntrack
    // has not seen begin, and they hang. Besides, a load balancer is the way out to package archives.
    [...gate, jump.done],
  );
  return { machine, done };
}
