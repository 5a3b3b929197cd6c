import * as pulumi from "@pulumi/pulumi";
import type { PlannedLoadBalancer } from "../plan/plan";
import { loadBalancerFiles, loadBalancerSecretFiles } from "../render/files";
import type { Context, Gate } from "./context";
import { Machine } from "./openstack/machine";
import { type Door, push } from "./remote";

export interface LoadBalancerArgs {
  context: Context;
  node: PlannedLoadBalancer;
  /** PEM private keys by certificate name. */
  certificateKeys: Record<string, string>;
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
    const { plan, networks, securityGroups, secrets } = context;
    const hostKey = secrets.hostKey(node.id);
    const machine = new Machine(
      node.id,
      {
        server: node,
        image: plan.image,
        keyPair: context.keyPair,
        hostKey,
        serverGroup: context.serverGroups[node.role],
        ports: [
          {
            name: "external",
            networkId: networks.externalId,
            securityGroup: securityGroups.ids["lb-external"],
            fixedIps: [
              { subnetId: networks.externalSubnet4Id, ipAddress: node.external.ipv4 },
              ...(networks.externalSubnet6Id && node.external.ipv6 !== undefined
                ? [{ subnetId: networks.externalSubnet6Id, ipAddress: node.external.ipv6 }]
                : []),
            ],
            allowedAddresses: node.externalPairs,
          },
          {
            name: "internal",
            networkId: networks.internalId,
            securityGroup: securityGroups.ids["lb-internal"],
            fixedIps: [{ subnetId: networks.internalSubnetId, ipAddress: node.internal }],
            allowedAddresses: node.internalPairs,
          },
        ],
      },
      { parent: this },
    );
    this.datacenter = node.datacenter;
    this.door = {
      host: node.external.ipv4,
      user: plan.sshUser,
      hostKey: hostKey.publicKey,
      privateKey: context.clientKey,
    };
    this.done = push(
      node.id,
      {
        role: node.role,
        door: this.door,
        machineId: machine.serverId,
        scripts: context.nodeFiles.scripts,
        files: loadBalancerFiles(plan, node),
        secrets: loadBalancerSecretFiles(plan, secrets.vrrpPassword(), args.certificateKeys),
      },
      { parent: this },
      args.gate,
    );
    this.registerOutputs({ serverId: machine.serverId, external: node.external });
  }
}
