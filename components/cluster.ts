import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../plan/plan";
import type { Role } from "../plan/servers";
import { DerivedSecrets } from "../secrets/derive";
import { AppServer } from "./appServer";
import type { Context, Gate } from "./context";
import { DatabaseServer } from "./databaseServer";
import { LoadBalancer } from "./loadBalancer";
import { Networks } from "./openstack/networks";
import { SecurityGroups } from "./openstack/securityGroups";
import { readNodeFiles } from "../node/files";

export interface ClusterArgs {
  plan: Plan;
  /** The stack's root secret, in the clear: everything derived from it is marked secret before it goes anywhere. */
  rootSecret: string;
  /** PEM private keys by certificate name. */
  certificateKeys: Record<string, string>;
}

/** A whole cluster: networks, then load balancers one at a time, then databases and application servers. */
export class Cluster extends pulumi.ComponentResource {
  readonly clientKey: pulumi.Output<string>;
  /** Public host keys as known_hosts(5) wants them, one line per server. */
  readonly knownHosts: string[];

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ha-cluster:index:Cluster", name, {}, opts);
    const { plan } = args;
    const parent = { parent: this };
    const secrets = new DerivedSecrets(args.rootSecret);
    const context: Context = {
      plan,
      secrets,
      nodeFiles: readNodeFiles(),
      networks: new Networks(`${name}-networks`, { plan }, parent),
      securityGroups: new SecurityGroups(`${name}-security-groups`, { plan }, parent),
      keyPair: this.keyPair(plan, secrets),
      serverGroups: this.serverGroups(plan),
      clientKey: pulumi.secret(secrets.clientKey().privateKey),
    };

    const balancers = inTurn(plan.loadBalancers, (node, gate) => {
      return new LoadBalancer(node.id, { context, node, certificateKeys: args.certificateKeys, gate }, parent);
    });
    const jumps = new Map(balancers.map((balancer) => [balancer.datacenter, balancer]));
    inTurn(
      plan.databases,
      (node, gate) => new DatabaseServer(node.id, { context, node, jump: jumps.get(node.datacenter)!, gate }, parent),
    );
    inTurn(
      plan.appServers,
      (node, gate) => new AppServer(node.id, { context, node, jump: jumps.get(node.datacenter)!, gate }, parent),
    );

    this.clientKey = context.clientKey;
    this.knownHosts = knownHosts(plan, secrets);
    this.registerOutputs({ clientKey: this.clientKey, knownHosts: this.knownHosts });
  }

  private keyPair(plan: Plan, secrets: DerivedSecrets): pulumi.Output<string> {
    const { publicKey } = secrets.clientKey();
    return new openstack.compute.Keypair("keypair", { name: plan.customer, publicKey }, { parent: this }).name;
  }

  /** No two servers that stand in for each other share a hypervisor; application servers only where it can be had. */
  private serverGroups(plan: Plan): Record<Role, pulumi.Output<string>> {
    const group = (role: Role, policy: string): pulumi.Output<string> =>
      new openstack.compute.ServerGroup(
        `group-${role}`,
        { name: `${plan.customer}-${role}`, policies: [policy] },
        { parent: this },
      ).id;
    return {
      "load-balancer": group("load-balancer", "anti-affinity"),
      database: group("database", "anti-affinity"),
      "app-server": group("app-server", "soft-anti-affinity"),
    };
  }
}

function knownHosts(plan: Plan, secrets: DerivedSecrets): string[] {
  const names = [
    ...plan.loadBalancers.map(({ id, external }) => ({ id, addresses: [external.ipv4, external.ipv6] })),
    ...[...plan.databases, ...plan.appServers].map(({ id, internal }) => ({ id, addresses: [internal] })),
  ];
  return names.map(({ id, addresses }) => {
    const known = addresses.filter((address) => address !== undefined).join(",");
    return `${known} ${secrets.hostKey(id).publicKey}`;
  });
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
