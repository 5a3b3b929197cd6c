import * as pulumi from "@pulumi/pulumi";
import type { Secrets } from "../config/spec";
import type { Change } from "../change/change";
import type { Begun } from "../change/rollout";
import type { NodeFiles } from "../node/files";
import type { Plan } from "../plan/plan";
import { DerivedSecrets } from "../secrets/derive";
import { AppServer } from "./appServer";
import { letPass, moveServers } from "./between";
import type { Context, Gate } from "./context";
import { leave, type StandingDoor } from "./farewell";
import { DatabaseServer } from "./databaseServer";
import { LoadBalancer } from "./loadBalancer";
import { ExistingMachines } from "./machines/existing";
import type { MachineSource } from "./machines/machine";
import { OpenStackMachines } from "./machines/openstack";
import { Protection } from "./protection";
import { inTurn } from "./turns";

export interface ClusterArgs {
  plan: Plan;
  /** In the clear: everything of them is marked secret before it goes anywhere. */
  secrets: Secrets;
  nodeFiles: NodeFiles;
  change: Change;
  /** What is noted in the state before anything is pushed; see change/rollout.ts. */
  begun: Begun;
  /** Whether `pulumi destroy` may delete it. */
  mayDestroy: boolean;
}

/** A whole cluster: load balancers one at a time, then databases and application servers. */
export class Cluster extends pulumi.ComponentResource {
  readonly clientKey: pulumi.Output<string>;
  /** Public host keys as known_hosts(5) wants them, one line per server. */
  readonly knownHosts: string[];

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ha-cluster:index:Cluster", name, {}, opts);
    const { plan, nodeFiles } = args;
    const parent = { parent: this };
    const secrets = new DerivedSecrets(args.secrets.root);
    const machines = this.machines(name, args, secrets);
    const context: Context = { plan, secrets, nodeFiles, machines, change: args.change, founded: args.change.founded };

    const ready = machines instanceof OpenStackMachines ? this.prepare(context, machines) : [];
    const { balancers, databases, apps } = inTurn(plan, args.change, ready, {
      pause: (gate, by: LoadBalancer | undefined) => letPass(context, by?.door, parent, gate),
      balancer: (node, gate) => new LoadBalancer(node.id, { context, node, secrets: args.secrets, gate }, parent),
      database: (node, jump, gate) => new DatabaseServer(node.id, { context, node, jump, gate }, parent),
      app: (node, jump, gate) => new AppServer(node.id, { context, node, jump, gate }, parent),
    });

    const everything = [...machines.shared, ...balancers, ...databases, ...apps];
    const protect = plan.source === "openstack" && !args.mayDestroy;
    new Protection(`${name}-protection`, { protect, everything, rollout: args.begun.number }, parent);
    this.clientKey = machines.clientKey;
    this.knownHosts = machines.knownHosts;
    // Of outputs the engine takes note at once, and no preview shows them.
    this.registerOutputs({ rollout: args.begun });
  }

  /** What has to be done to servers that stand before any is changed for good. */
  private prepare(context: Context, machines: OpenStackMachines): Gate {
    const door: StandingDoor = ({ id, user }, way) => machines.door(id, way, user);
    const gone = leave(context.change, door, { parent: this });
    // The cloud's firewall has to know the larger network before anybody in it asks a gateway.
    const known = context.change.otherLength.length > 0 ? machines.shared : [];
    return moveServers(context, door, { parent: this }, [...gone, ...known]);
  }

  private machines(
    name: string,
    { plan, change, secrets: given }: ClusterArgs,
    secrets: DerivedSecrets,
  ): MachineSource {
    switch (plan.source) {
      case "openstack":
        return new OpenStackMachines(name, plan, change, secrets, this);
      case "existing":
        if (given.sshPrivateKey === undefined) throw new Error("machines that exist need a private key");
        return new ExistingMachines(plan, given.sshPrivateKey);
      default:
        return plan.source satisfies never;
    }
  }
}
