import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { Change, Pair } from "../../change/change";
import { changesAddresses } from "../../change/moves";
import { network, subnetOf } from "../../plan/addresses";
import type { Zone } from "../../plan/firewall";
import type { Plan, PlannedAppServer, PlannedDatabase, PlannedLoadBalancer } from "../../plan/plan";
import type { Role, Server } from "../../plan/servers";
import type { DerivedSecrets } from "../../secrets/derive";
import type { KeyPair } from "../../secrets/openssh";
import { CUSTOMER, markOf, whose } from "../../plan/mark";
import { Networks } from "../openstack/networks";
import { SecurityGroups } from "../openstack/securityGroups";
import { SOON } from "../openstack/timeouts";
import type { Door } from "../remote";
import type { Before, Machine, MachineSource } from "./machine";

/** Machines that Nova makes, with the networks, security groups and keys they need. */
export class OpenStackMachines implements MachineSource {
  readonly clientKey: pulumi.Output<string>;
  readonly knownHosts: string[];
  readonly shared: pulumi.Resource[];
  private readonly networks: Networks;
  private readonly securityGroups: SecurityGroups;
  private readonly keyPair: pulumi.Output<string>;
  private readonly serverGroups: Record<Role, pulumi.Output<string>>;

  constructor(
    name: string,
    private readonly plan: Plan,
    private readonly change: Pick<Change, "held" | "replaced" | "remade" | "waiting" | "kept" | "images" | "moves">,
    private readonly secrets: DerivedSecrets,
    parent: pulumi.Resource,
  ) {
    const { publicKey, privateKey } = secrets.clientKey();
    this.networks = new Networks(`${name}-networks`, { plan }, { parent });
    const after = this.networks.reserved;
    this.securityGroups = new SecurityGroups(`${name}-security-groups`, { plan, after }, { parent });
    const reserved = { parent, dependsOn: after };
    const keyPair = new openstack.compute.Keypair("keypair", { name: plan.clusterName, publicKey }, reserved);
    this.keyPair = keyPair.name;
    this.serverGroups = serverGroups(plan, reserved);
    this.shared = [this.networks, this.securityGroups, keyPair];
    this.clientKey = pulumi.secret(privateKey);
    this.knownHosts = knownHosts(plan, secrets);
  }

  loadBalancer(node: PlannedLoadBalancer, before: Before, parent: pulumi.Resource, turn: pulumi.Resource[]): Machine {
    const { networks, securityGroups } = this;
    const ports = [
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
        // What it has beside is given back in its turn; see addresses.ts for how it came.
        waitsFor: changesAddresses(this.change.moves[node.id]) ? turn : [],
      },
      this.internalPort("lb-internal", node, node.internalPairs),
    ];
    return this.machine(node, ports, this.door(node.id, { host: node.external.ipv4 }), before, parent);
  }

  internalServer(
    node: PlannedDatabase | PlannedAppServer,
    zone: Zone,
    jump: Door,
    before: Before,
    parent: pulumi.Resource,
  ): Machine {
    const door = this.door(node.id, { host: node.internal, jump });
    return this.machine(node, [this.internalPort(zone, node, [])], door, before, parent);
  }

  /** @param user who can log in, where that is not the stack file's user yet */
  door(id: string, way: Pick<Door, "host" | "jump">, user = this.plan.sshUser): Door {
    const { publicKey: hostKey } = this.secrets.hostKey(id);
    return { ...way, user, hostKey, privateKey: this.clientKey };
  }

  private internalPort(zone: Zone, node: Server, allowedAddresses: string[]): PortArgs {
    return {
      name: "internal",
      networkId: this.networks.internalId,
      securityGroup: this.securityGroups.ids[zone],
      fixedIps: [{ subnetId: this.networks.internalSubnetId(node.internal), ipAddress: node.internal }],
      allowedAddresses,
      waitsFor: [],
    };
  }

  private machine(node: Server, ports: PortArgs[], door: Door, before: Before, parent: pulumi.Resource): Machine {
    const is = ({ planned }: Pair): boolean => planned.id === node.id;
    const { replaced, remade, waiting, kept, images } = this.change;
    const held = this.change.held.includes(node.id);
    const { image } = node;
    if (image === undefined) throw new Error(`${node.id} has no image`);
    const { serverId } = new NovaServer(
      node.id,
      {
        plan: this.plan,
        server: node,
        image: images[image] === undefined ? { imageName: image } : { imageId: images[image] },
        keyPair: this.keyPair,
        hostKey: this.secrets.hostKey(node.id),
        user: this.plan.sshUser,
        firstNetwork: firstNetwork(this.plan, node),
        publicKey: this.secrets.clientKey().publicKey,
        serverGroup: this.serverGroups[node.role],
        ports,
        held,
        // One that a repair may replace is not held, and gets what the file says too.
        anew: [...replaced, ...remade].some(is) || (kept.some(is) && !held),
        waits: waiting.some(is),
        before: before(door),
      },
      { parent },
    );
    return { id: serverId, door };
  }
}

/** No two servers that stand in for each other share a hypervisor; application servers only where it can be had. */
function serverGroups(plan: Plan, options: pulumi.CustomResourceOptions): Record<Role, pulumi.Output<string>> {
  const group = (role: Role, policy: string): pulumi.Output<string> =>
    new openstack.compute.ServerGroup(
      `group-${role}`,
      { name: `${plan.clusterName}-${role}`, policies: [policy] },
      options,
    ).id;
  return {
    "load-balancer": group("load-balancer", "anti-affinity"),
    database: group("database", "anti-affinity"),
    "app-server": group("app-server", "soft-anti-affinity"),
  };
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

interface NovaServerArgs {
  plan: Plan;
  server: Server;
  image: { imageName: string } | { imageId: string };
  keyPair: pulumi.Input<string>;
  /** Its identity from the first boot on, so that no connection to it ever has to trust blindly. */
  hostKey: KeyPair;
  /** Who logs in, and with which key. */
  user: string;
  publicKey: string;
  serverGroup: pulumi.Input<string>;
  /** Commands by which its network is whole before the first push; undefined where Nova's word is enough. */
  firstNetwork: string | undefined;
  /** In the order of the machine's interfaces. */
  ports: PortArgs[];
  /** Whether nothing may replace it. */
  held: boolean;
  /** Whether it is to be made anew where the file says otherwise than what it was made of. */
  anew: boolean;
  /** Whether it keeps its flavor for now, whatever the file says. */
  waits: boolean;
  /** What it waits for before it is changed. */
  before: pulumi.Resource[];
}

interface PortArgs {
  /** What the port is called beside its machine, e.g. `external`. */
  name: string;
  networkId: pulumi.Input<string>;
  securityGroup: pulumi.Input<string>;
  fixedIps: { subnetId: pulumi.Input<string>; ipAddress: string }[];
  /** Addresses that the hypervisor's ACL lets the port use besides its own. */
  allowedAddresses: string[];
  /** What has to be done before it is changed. */
  waitsFor: pulumi.Resource[];
}

const IMAGE = ["imageName", "imageId"];

const FOR_NEW_ONES = [...IMAGE, "userData", "metadata", "keyPair", "schedulerHints", "availabilityZone"];

/** One server of Nova with its Neutron ports. */
class NovaServer extends pulumi.ComponentResource {
  /** The server's id in Nova. */
  readonly serverId: pulumi.Output<string>;

  constructor(name: string, args: NovaServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ha-cluster:openstack:Machine", name, {}, opts);
    const { server } = args;
    const ports = args.ports.map(
      (port) =>
        new openstack.networking.Port(
          `${name}-${port.name}`,
          {
            name: `${server.hostname}-${port.name}`,
            description: markOf(args.plan),
            networkId: port.networkId,
            adminStateUp: true,
            securityGroupIds: [port.securityGroup],
            fixedIps: port.fixedIps,
            allowedAddressPairs: port.allowedAddresses.map((ipAddress) => ({ ipAddress })),
          },
          { parent: this, dependsOn: port.waitsFor, customTimeouts: SOON },
        ),
    );
    this.serverId = new openstack.compute.Instance(
      name,
      {
        name: server.hostname,
        ...args.image,
        flavorName: server.flavor,
        availabilityZone: server.availabilityZone,
        keyPair: args.keyPair,
        networks: ports.map((port) => ({ port: port.id })),
        schedulerHints: [{ group: args.serverGroup }],
        configDrive: true,
        powerState: "active",
        userData: pulumi.secret(userData(args)),
        // As the user data is encrypted in the state; see change/deployed.ts.
        metadata: { sshUser: args.user, [CUSTOMER]: whose(args.plan) },
      },
      {
        parent: this,
        // What is for new servers: it never replaces one that serves. A server group that somebody deleted is made anew, and
        // a zone may be called otherwise by its provider; whether a server would have to move is asked before (ask.ts). To one
        // that stays, a port that was made anew is attached (verify/reattach.ts); made anew itself it gets what there is.
        ignoreChanges: [
          ...(args.anew ? [] : FOR_NEW_ONES),
          ...(args.held && !args.anew ? ["networks"] : []),
          ...(args.waits ? ["flavorName"] : []),
        ],
        // The provider would rebuild the server in place: a disk emptied under the same id, which nobody is told of.
        ...(args.anew ? { replaceOnChanges: IMAGE } : {}),
        // The server's address is its port's, so the old server has to go first.
        deleteBeforeReplace: true,
        dependsOn: args.before,
      },
    ).id;
    this.registerOutputs({ serverId: this.serverId });
  }
}

/**
 * Nova knows the subnet that a server is in, and not the network that subnets make together: until the first push, nobody in
 * another one would get an answer, nor would the server find its gateway.
 */
function firstNetwork(plan: Plan, node: Server): string | undefined {
  const { cidr, vip } = plan.internal;
  const subnet = subnetOf(plan.internal, node.internal);
  const device = node.internalInterface;
  const inside = (whole: string): string => `${node.internal}/${network(whole).prefixLength}`;
  const commands = [
    ...(subnet === cidr
      ? []
      : [`ip addr replace ${inside(cidr)} dev ${device}`, `ip addr del ${inside(subnet)} dev ${device}`]),
    ...(node.role === "load-balancer" ? [] : [`ip route replace default via ${vip} dev ${device}`]),
  ];
  return commands.length > 0 ? commands.join("; ") : undefined;
}

/**
 * cloud-init's cloud-config (JSON is YAML): nothing but the host key, what Nova doesn't know of the network, and the one that logs in, beside the image's own user or
 * the same; all else is pushed, and shows in a preview. Of root's key, cloud-init makes a refusal unless it is told not to.
 */
function userData({
  hostKey,
  user,
  publicKey,
  firstNetwork,
}: Pick<NovaServerArgs, "hostKey" | "user" | "publicKey" | "firstNetwork">): string {
  const login = { name: user, shell: "/bin/bash", lock_passwd: true, sudo: "ALL=(ALL) NOPASSWD:ALL" };
  return `#cloud-config\n${JSON.stringify({
    ...(user === "root"
      ? { disable_root: false }
      : { users: ["default", { ...login, ssh_authorized_keys: [publicKey] }] }),
    ...(firstNetwork !== undefined && {
      bootcmd: [["cloud-init-per", "instance", "ha-cluster-network", "sh", "-c", firstNetwork]],
    }),
    ssh_deletekeys: true,
    ssh_genkeytypes: [],
    ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
  })}\n`;
}
