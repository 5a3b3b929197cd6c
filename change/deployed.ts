import type { Role } from "../plan/servers";
import { OTHER_PUSHES, type OtherPush } from "./after";
import {
  afterIn,
  begunIn,
  bundlesIn,
  COMMAND,
  type Commands,
  cutIn,
  foundedGroups,
  input,
  isFounded,
  nameOf,
  saidIn,
} from "./commands";
import { fileIn } from "./files";
import { ADOPTED, HALF_RECOVERED } from "../plan/mark";
import { textsOf } from "./texts";
import { type Begun, type Rollout, rolloutOf } from "./rollout";

/** One resource of a stack's state, as `pulumi stack export` prints it. */
export interface Resource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  /** Replaced already, and about to be deleted. */
  delete?: boolean;
  /** Deleted already, and about to be created again. */
  pendingReplacement?: boolean;
  /** Why the last change of it did not come to its end, though its inputs stand in the state as if it had. */
  initErrors?: string[];
}

/** What Pulumi had begun when it was killed. */
export interface Pending {
  type: string;
  resource: Resource;
}

export type PortName = "external" | "internal";

/** One machine that Nova made, as the state has it. */
export interface DeployedServer {
  id: string;
  role: Role;
  /** Nova's id. */
  machine: string;
  hostname: string;
  zone: string;
  flavor: string;
  /** Name of its image, and Glance's id. */
  image: string;
  imageId: string;
  /** Fixed addresses by port, in Neutron's order; of one that is lost those that the server was told. */
  addresses: Partial<Record<PortName, string[]>>;
  /** The address by which a load balancer is reached; absent where its port is gone. */
  way?: string;
  /** Neutron's id of a load balancer's port on the external network. */
  externalPort?: string;
  /** Its ports that the state has no more: they are made anew. */
  lostPorts: PortName[];
  /** Whether all that belongs on it was pushed once: from then on it may serve, and have data. */
  pushed: boolean;
  /** Whether it was found in the cloud: it may have data, though the state knows of no push. */
  adopted?: true;
  /** Whether its scripts know how to say farewell. */
  knowsFarewell: boolean;
  /** Who can log in to it; absent where it was last pushed to by a release that did not say so. */
  user?: string;
  /** The words of the last time that another user was let in. */
  login?: string;
  /** Why it said farewell the last time, if it ever did. */
  farewell?: string;
  /** The words of the last time that it was pushed to for the time between, if it ever was; see change/moves.ts. */
  between?: string;
  /** Nova's or the provider's words of a change that did not come to its end. */
  failed?: string;
}

/** What stands of a stack. */
export interface Deployed {
  /** By id, sorted. */
  servers: DeployedServer[];
  /** Ids of servers that have ports and no machine: it is gone, or could not be made. */
  traces: string[];
  /** The customer's name that networks and servers have; absent before the first of them. */
  customer?: string;
  /** The name that server groups have. */
  clusterName?: string;
  /** Nova's ids of those groups. */
  serverGroups: Partial<Record<Role, string>>;
  /** What the internal network was built as: of its first subnet, which stays when it grows. */
  internalCidr?: string;
  /** Neutron's id of the provider's network that the load balancers are on. */
  externalNetwork?: string;
  /** What the ports are called by which Neutron holds its VIPs; see {@link vipPort}. */
  reserved: string[];
  /** From the stack's outputs, which a failed `up` writes as if it were done: only for servers that don't have one. */
  sshUser?: string;
  /** The words of the last pause between load balancers and applications; see change/moves.ts. */
  pause?: string;
  /** Of the key pair that servers were made with. */
  publicKey?: string;
  /** Whether a database was pushed to once, even if its machine is gone since. */
  founded: boolean;
  /** What servers of groups are called of which one was pushed to once, likewise; sorted. */
  foundedGroups: string[];
  /** Text that the last push of each server's configuration carried, by server id. */
  bundles: Record<string, string>;
  /** The same of the last push that was for the time until others had been changed; see change/moves.ts. */
  betweens: Record<string, string>;
  /** What the cloud was asked to create when a run was cut, by name: nobody knows whether it has. */
  begun: string[];
  /** After what that configuration was pushed, which had to be proved anew; by the ids of all that have one. */
  after: Record<string, string | undefined>;
  /** The same of the other pushes. */
  othersAfter: Record<OtherPush, Record<string, string | undefined>>;
  rollout: Rollout;
}

/** By its address, whatever the VIP is called: a name may go from one to another, which Neutron need not know. A URN has colons. */
export function vipPort(address: string): string {
  return `vip-${address.replaceAll(":", "-")}`;
}

const ROLES: Record<string, Role> = {
  LoadBalancer: "load-balancer",
  DatabaseServer: "database",
  AppServer: "app-server",
};

/** @param resources of a deployment; secrets may be encrypted, as none is read */
export function deployed(resources: readonly Resource[], pending: readonly Pending[] = []): Deployed {
  const byType = new Map<string, Map<string, Resource>>();
  for (const each of resources) {
    if (each.delete === true) continue;
    const named = byType.get(each.type) ?? new Map<string, Resource>();
    byType.set(each.type, named.set(nameOf(each), each));
  }
  const of = (type: string): ReadonlyMap<string, Resource> => byType.get(type) ?? new Map<string, Resource>();
  const commands = of(COMMAND);
  const ports = of("openstack:networking/port:Port");
  const servers = [...of("openstack:compute/instance:Instance").values()].flatMap((instance) => {
    const id = nameOf(instance);
    const role = ROLES[/ha-cluster:index:(\w+)\$ha-cluster:openstack:Machine\$/.exec(instance.urn)?.[1] ?? ""];
    return role === undefined ? [] : [server(id, role, instance, ports, commands)];
  });
  const internal = of("openstack:networking/subnet:Subnet").get("internal-ipv4");
  const external = [...ports.values()].find((each) => nameOf(each).endsWith("-external"));
  const keyPair = of("openstack:compute/keypair:Keypair").get("keypair");
  const [root] = of("pulumi:pulumi:Stack").values();
  const [bundles, after] = [bundlesIn(commands, "config"), afterIn(commands, "config")];
  const betweens = Object.fromEntries(
    servers.flatMap(({ id, between }) => (between === undefined ? [] : [[id, between]])),
  );
  const [cluster] = of("ha-cluster:index:Cluster").values();
  const [protection] = of("ha-cluster:index:Protection").values();
  const logins = Object.values((root?.outputs?.["ssh"] ?? {}) as Record<string, string>);
  const found: Deployed = {
    servers: servers.sort((a, b) => (a.id < b.id ? -1 : 1)),
    traces: [...new Set([...ports.keys()].map((name) => name.replace(/-(external|internal)$/, "")))].filter(
      (id) => !id.startsWith(vipPort("")) && !servers.some((each) => each.id === id),
    ),
    reserved: [...ports.keys()].filter((name) => name.startsWith(vipPort(""))),
    ...defined({
      customer: withoutSuffix(of("openstack:networking/network:Network").get("internal"), "-internal"),
      clusterName: withoutSuffix(of("openstack:compute/serverGroup:ServerGroup").get("group-database"), "-database"),
      internalCidr: internal && text(internal, "cidr"),
      sshUser: /(\S+)@\S+$/.exec(logins[0] ?? "")?.[1],
      externalNetwork: external && text(external, "networkId"),
      pause: saidIn(commands, "ports-pause"),
      publicKey: keyPair && text(keyPair, "publicKey"),
    }),
    serverGroups: Object.fromEntries(
      [...of("openstack:compute/serverGroup:ServerGroup")].map(([name, { id }]) => [name.replace(/^group-/, ""), id]),
    ),
    founded: isFounded(commands),
    foundedGroups: foundedGroups(commands),
    bundles,
    betweens: bundlesIn(commands, "between"),
    begun: begunIn(pending, resources),
    after,
    othersAfter: Object.fromEntries(
      OTHER_PUSHES.map((what) => [what, afterIn(commands, what)]),
    ) as Deployed["othersAfter"],
    rollout: rolloutOf(
      cluster?.outputs?.["rollout"] as Begun | undefined,
      protection?.outputs?.["rollout"] as number | undefined,
      cutIn(pending, commands),
      { bundles, betweens, after },
    ),
  };
  return {
    ...found,
    servers: found.servers.map((each) => ({ ...each, ...defined({ way: wayOf(each, found) }) })),
  };
}

function server(
  id: string,
  role: Role,
  instance: Resource,
  ports: ReadonlyMap<string, Resource>,
  commands: Commands,
): DeployedServer {
  const addresses = (which: PortName): string[] => {
    const found = ports.get(`${id}-${which}`)?.outputs?.["allFixedIps"];
    return Array.isArray(found)
      ? found.map(String)
      : (told(role, input(commands.get(`${id}-config`), "stdin"))[which] ?? []);
  };
  const own: PortName[] = role === "load-balancer" ? ["external", "internal"] : ["internal"];
  const externalPort = role === "load-balancer" ? ports.get(`${id}-external`)?.id : undefined;
  const [farewell, login, between] = ["farewell", "login", "between"].map((what) => saidIn(commands, `${id}-${what}`));
  const user = userOf(instance, commands.get(`${id}-scripts`));
  const failed = instance.initErrors
    ?.filter((error) => error !== HALF_RECOVERED)
    .map(reason)
    .join("; ");
  const adopted = ADOPTED in ((instance.outputs?.["allMetadata"] ?? {}) as Record<string, string>);
  return {
    id,
    role,
    machine: instance.id ?? "",
    hostname: text(instance, "name"),
    zone: text(instance, "availabilityZone"),
    flavor: text(instance, "flavorName"),
    image: imageOf(instance),
    imageId: text(instance, "imageId"),
    addresses: {
      ...(role === "load-balancer" && { external: addresses("external") }),
      internal: addresses("internal"),
    },
    ...(externalPort !== undefined && { externalPort }),
    lostPorts: own.filter((which) => !ports.has(`${id}-${which}`)),
    pushed: commands.has(`${id}-config`),
    ...(adopted && { adopted: true as const }),
    knowsFarewell: input(commands.get(`${id}-scripts`), "stdin").includes("farewell.sh"),
    ...(user !== undefined && { user }),
    ...(login !== undefined && { login }),
    ...(farewell !== undefined && { farewell }),
    ...(between !== undefined && { between }),
    ...(failed !== undefined && failed !== "" && { failed }),
  };
}

/** By port, the addresses that a push brought: the internal one is the last; see render/network.ts. */
function told(role: Role, bundle: string): Partial<Record<PortName, string[]>> {
  const all = [...fileIn(bundle, "/etc/ha-cluster/addresses").matchAll(/^\S+ ([0-9a-f.:]+)\/\d+ \S+$/gm)].map(
    ([, address]) => address!,
  );
  return { ...(role === "load-balancer" && { external: all.slice(0, -1) }), internal: all.slice(-1) };
}

/** Who logged in when this very machine was pushed to; before that, whom it was made with. */
function userOf({ id, inputs }: Resource, scripts: Resource | undefined): string | undefined {
  const [machine] = (scripts?.inputs?.["triggers"] ?? []) as unknown[];
  if (machine === id) return / # as (\S+)$/.exec(input(scripts, "create"))?.[1];
  return ((inputs?.["metadata"] ?? {}) as Partial<Record<string, string>>)["sshUser"];
}

/**
 * By what is sure to be there: a port may have addresses, by the state, that its machine has not been told yet, or not any more.
 */
function wayOf(server: DeployedServer, found: Deployed): string | undefined {
  const own = (server.addresses.external ?? []).filter((each) => !each.includes(":"));
  if (server.lostPorts.includes("external")) return undefined;
  const texts = textsOf(server, found).map((text) => told(server.role, text).external ?? []);
  return own.find((each) => texts.length > 0 && texts.every((all) => all.includes(each))) ?? own[0];
}

/** The provider says it last, after which resource it is and how many errors there were. */
function reason(error: string): string {
  const [, last = error] = /^[^]*^\s*\* (.+)$/m.exec(error) ?? [];
  return last.trim();
}

function text({ inputs, outputs }: Resource, key: string): string {
  const value = outputs?.[key] ?? inputs?.[key];
  return typeof value === "string" ? value : "";
}

/** Its name; the id where Glance has it no more, of which the provider says this. */
function imageOf(instance: Resource): string {
  const name = text(instance, "imageName");
  return name === "Image not found" ? text(instance, "imageId") : name;
}

function withoutSuffix(resource: Resource | undefined, suffix: string): string | undefined {
  const name = resource && text(resource, "name");
  return name?.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined;
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Partial<T>;
}
