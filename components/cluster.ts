import * as pulumi from "@pulumi/pulumi";
import type { Secrets } from "../config/spec";
import { readNodeFiles } from "../node/files";
import type { Plan } from "../plan/plan";
import { DerivedSecrets } from "../secrets/derive";
import { AppServer } from "./appServer";
import type { Context, Gate } from "./context";
import { DatabaseServer } from "./databaseServer";
import { LoadBalancer } from "./loadBalancer";
import { ExistingMachines } from "./machines/existing";
import type { MachineSource } from "./machines/machine";
import { OpenStackMachines } from "./machines/openstack";

export interface ClusterArgs {
  plan: Plan;
  /** In the clear: everything of them is marked secret before it goes anywhere. */
  secrets: Secrets;
  /** Whether the state shows that a database of this stack was pushed to before; false unless given. */
  founded?: boolean;
}

/** A whole cluster: load balancers one at a time, then databases and application servers. */
export class Cluster extends pulumi.ComponentResource {
  readonly clientKey: pulumi.Output<string>;
  /** Public host keys as known_hosts(5) wants them, one line per server. */
  readonly knownHosts: string[];

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ha-cluster:index:Cluster", name, {}, opts);
    const { plan } = args;
    const parent = { parent: this };
    const secrets = new DerivedSecrets(args.secrets.root);
    const machines = this.machines(name, args, secrets);
    const context: Context = { plan, secrets, nodeFiles: readNodeFiles(), machines, founded: args.founded ?? false };

    const balancers = inTurn(
      plan.loadBalancers,
      (node, gate) => new LoadBalancer(node.id, { context, node, secrets: args.secrets, gate }, parent),
    );
    const jumps = new Map(balancers.map((balancer) => [balancer.datacenter, balancer]));
    inTurn(
      plan.databases,
      (node, gate) => new DatabaseServer(node.id, { context, node, jump: jumps.get(node.datacenter)!, gate }, parent),
    );
    inTurn(
      plan.appServers,
      (node, gate) => new AppServer(node.id, { context, node, jump: jumps.get(node.datacenter)!, gate }, parent),
    );

    this.clientKey = machines.clientKey;
    this.knownHosts = machines.knownHosts;
    this.registerOutputs({ clientKey: this.clientKey, knownHosts: this.knownHosts });
  }

  private machines(name: string, { plan, secrets: given }: ClusterArgs, secrets: DerivedSecrets): MachineSource {
    switch (plan.source) {
      case "openstack":
        return new OpenStackMachines(name, plan, secrets, this);
      case "existing":
        if (given.sshPrivateKey === undefined) throw new Error("machines that exist need a private key");
        return new ExistingMachines(plan, given.sshPrivateKey);
      default:
        return plan.source satisfies never;
    }
  }
}

/** Makes one after the other: each is changed only when the one before has proved that it serves. */
function inTurn<Node, Made extends { done: pulumi.Resource }>(
  nodes: readonly Node[],
  make: (node: Node, gate: Gate) => Made,
): Made[] {
  const made: Made[] = [];
  for (const node of nodes) {
    const before = made.at(-1)?.done;
    made.push(make(node, before ? [before] : []));
  }
  return made;
}
