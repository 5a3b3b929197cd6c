import * as pulumi from "@pulumi/pulumi";
import type { Secrets } from "../config/spec";
import type { PlannedLoadBalancer } from "../plan/plan";
import { loadBalancerFiles, loadBalancerSecretFiles } from "../render/files";
import type { Context, Gate } from "./context";
import { beforeStop } from "./farewell";
import { type Door, push } from "./remote";

export interface LoadBalancerArgs {
  context: Context;
  node: PlannedLoadBalancer;
  /** What the stack file has of them, in the clear. */
  secrets: Secrets;
  gate: Gate;
}

/** keepalived and haproxy on a machine with a leg in both networks; jump host of its datacenter. */
export class LoadBalancer extends pulumi.ComponentResource {
  readonly datacenter: string;
  readonly door: Door;
  /** Finished when this load balancer serves what the plan says. */
  readonly done: pulumi.Resource;

  constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ha-cluster:index:LoadBalancer", name, {}, opts);
    const { context, node } = args;
    const { plan } = context;
    const machine = context.machines.loadBalancer(
      node,
      (door) => beforeStop(node, door, context, { parent: this }, args.gate),
      this,
      args.gate,
    );
    this.datacenter = node.datacenter;
    this.door = machine.door;
    const vrrpPassword = args.secrets.vrrpPassword ?? context.secrets.vrrpPassword();
    this.done = push(
      node.id,
      {
        role: node.role,
        machine,
        scripts: context.nodeFiles.scripts,
        files: loadBalancerFiles(plan, node),
        change: context.change,
        secrets: loadBalancerSecretFiles(plan, vrrpPassword, args.secrets.certificateKeys),
      },
      { parent: this },
      args.gate,
    );
    this.registerOutputs({ serverId: machine.id, external: node.external });
  }
}
