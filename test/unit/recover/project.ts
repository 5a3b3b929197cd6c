import type { Inventory, Server } from "../../../recover/inventory";
import { KINDS } from "../../../recover/match";
import type { Deployment, Resource } from "../../../recover/state";

/** How far a run came with a resource before it was cut, and what became of it since. */
export type Fate =
  | "done"
  /** The cloud has it, and nobody has told the state. */
  | "made"
  /** The cloud was asked, and has not made it. */
  | "asked"
  /** In the state under the id of an earlier one: somebody made it anew, and then the state was put back. */
  | "remade"
  | "not begun";

interface Wanted {
  name: string;
  type: string;
  /** By the names of those that it names, with their ids. */
  inputs: (id: (name: string) => string) => Record<string, unknown>;
  needs: string[];
  cloud: (inputs: Record<string, unknown>, id: string) => (cloud: Inventory) => void;
}

const PARENT = "urn:pulumi:dev::ha-cluster::ha-cluster:index:Cluster::cluster";
const PROVIDER = "urn:pulumi:dev::ha-cluster::pulumi:providers:openstack::default";

export function urnOf(type: string, name: string): string {
  return `urn:pulumi:dev::ha-cluster::ha-cluster:index:Cluster$${type}::${name}`;
}

/** A cluster in small: what servers are made of, in an order in which each comes after what it needs. */
export function wanted(servers: number): Wanted[] {
  const [network, subnet, port] = ["network:Network", "subnet:Subnet", "port:Port"].map(
    (each) => `openstack:networking/${each}`,
  );
  const all: Wanted[] = [
    {
      ...{
        name: "internal",
        type: network!,
        needs: [],
        inputs: () => ({ name: "dev-internal", description: "ha-cluster dev" }),
      },
      cloud: (inputs, id) => (cloud) => cloud.networks.push({ ...(inputs as { name: string }), id }),
    },
    {
      ...{ name: "internal-ipv4", type: subnet!, needs: ["internal"] },
      inputs: (id) => ({ name: "dev-internal-ipv4", networkId: id("internal"), cidr: "198.51.100.0/25" }),
      cloud:
        ({ name, networkId, cidr }, id) =>
        (cloud) =>
          cloud.subnets.push({ id, name: String(name), network_id: String(networkId), cidr: String(cidr) }),
    },
    {
      ...{ name: "app", type: "openstack:networking/secGroup:SecGroup", needs: [] },
      inputs: () => ({ name: "dev-app", description: "ha-cluster dev: app" }),
      cloud: (inputs, id) => (cloud) => cloud.groups.push({ ...(inputs as { name: string }), id }),
    },
    ...[80, 443].map(rule),
    {
      ...{ name: "group-app", type: "openstack:compute/serverGroup:ServerGroup", needs: [] },
      inputs: () => ({ name: "dev-app" }),
      cloud:
        ({ name }, id) =>
        (cloud) =>
          cloud.serverGroups!.push({ id, name: String(name) }),
    },
  ];
  for (let index = 1; index <= servers; index++) all.push(portOf(index, port!), serverOf(index));
  return all;
}

function rule(port: number): Wanted {
  const inputs = { direction: "ingress", ethertype: "IPv6", protocol: "tcp", portRangeMin: port, portRangeMax: port };
  return {
    ...{ name: `app-${port}`, type: "openstack:networking/secGroupRule:SecGroupRule", needs: ["app"] },
    inputs: (id) => ({ ...inputs, securityGroupId: id("app"), remoteIpPrefix: "2001:db8:45:0::/64" }),
    cloud:
      ({ securityGroupId }, id) =>
      (cloud) =>
        cloud.rules.push({
          ...{
            id,
            security_group_id: String(securityGroupId),
            direction: "ingress",
            ethertype: "IPv6",
            protocol: "tcp",
          },
          ...{
            port_range_min: port,
            port_range_max: port,
            remote_ip_prefix: "2001:db8:45::/64",
            remote_group_id: null,
          },
        }),
  };
}

function portOf(index: number, type: string): Wanted {
  const ip_address = `198.51.100.${30 + index}`;
  return {
    ...{ name: `app-${index}-internal`, type, needs: ["internal", "internal-ipv4", "app"] },
    inputs: (id) => ({
      ...{ name: `dev-app-${index}-internal`, networkId: id("internal"), securityGroupIds: [id("app")] },
      ...{
        description: "ha-cluster dev",
        fixedIps: [{ __defaults: [], subnetId: id("internal-ipv4"), ipAddress: ip_address }],
      },
    }),
    cloud:
      ({ name, networkId, description }, id) =>
      (cloud) =>
        cloud.ports.push({
          ...{ id, name: String(name), description: String(description), network_id: String(networkId) },
          ...{ device_id: "", fixed_ips: [{ ip_address }] },
        }),
  };
}

function serverOf(index: number): Wanted {
  return {
    ...{
      name: `app-${index}`,
      type: "openstack:compute/instance:Instance",
      needs: [`app-${index}-internal`, "group-app"],
    },
    inputs: (id) => ({
      ...{ name: `dev-app-${index}`, networks: [{ __defaults: [], port: id(`app-${index}-internal`) }] },
      ...{ schedulerHints: [{ group: id("group-app") }], metadata: { "ha-cluster-customer": "dev" } },
    }),
    cloud:
      ({ name, networks }, id) =>
      (cloud) => {
        const metadata = { "ha-cluster-customer": "dev" };
        cloud.servers.push({ id, name: String(name), status: "ACTIVE", "OS-SRV-USG:launched_at": "today", metadata });
        const [{ port }] = networks as [{ port: string }];
        cloud.ports.find((each) => each.id === port)!.device_id = id;
      },
  };
}

/** State and cloud after a run that was cut, and whatever came after it; what can't be without what it needs is not begun. */
export function cutShort(
  servers: number,
  fateOf: (name: string, index: number) => Fate,
): { deployment: Deployment; cloud: Inventory; ids: Map<string, string>; resources: Resource[] } {
  const cloud = nothingThere();
  const deployment = {
    resources: [PARENT, PROVIDER].map((urn): Resource => ({ urn, type: urn.split("::")[2]! })),
    pending_operations: [] as { type: string; resource: Resource }[],
  };
  const ids = new Map<string, string>();
  const known = new Map<string, string>();
  const resources: Resource[] = [];
  wanted(servers).forEach(({ name, type, inputs, needs, cloud: put }, index) => {
    const fate = needs.every((each) => known.has(each)) ? fateOf(name, index) : "not begun";
    const bare = {
      ...{ urn: urnOf(type, name), type, parent: PARENT, provider: `${PROVIDER}::id-of-provider` },
      dependencies: needs.map(
        (each) => deployment.resources.find(({ urn }) => urn.endsWith(`::${each}`))?.urn ?? PARENT,
      ),
    };
    resources.push({ ...bare, inputs: fate === "not begun" ? {} : inputs((each) => ids.get(each)!) });
    if (fate === "not begun") return;
    const resource: Resource = { ...bare, inputs: inputs((each) => known.get(each)!) };
    if (fate !== "asked") {
      const id = `${name}-id`;
      ids.set(name, id);
      put(
        inputs((each) => ids.get(each)!),
        id,
      )(cloud);
    }
    if (fate === "done" || fate === "remade") {
      const id = fate === "done" ? `${name}-id` : `${name}-before`;
      known.set(name, id);
      deployment.resources.push({ ...resource, id, outputs: { ...resource.inputs, id } });
    } else deployment.pending_operations.push({ type: "creating", resource });
  });
  return { deployment, cloud, ids, resources };
}

export function nothingThere(): Inventory {
  const nobody: Server[] = [];
  return {
    ...{ networks: [], subnets: [], ports: [], groups: [], rules: [], serverGroups: [], keyPairs: [], servers: nobody },
  };
}

/** All ids that a cloud has. */
export function idsIn(cloud: Inventory): string[] {
  return Object.values(KINDS)
    .flatMap(({ ids }) => ids(cloud) ?? [])
    .sort();
}
