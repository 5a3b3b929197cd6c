import type { Datacenter, Spec } from "../config/spec";
import { externalAddress, internalAddress, type Place, rowOf, serverSubnet } from "./addresses";
import { planDatabase, type DatabaseCluster } from "./database";
import { existingBackends, existingBalancers } from "./existing";
import { planFirewall, type Firewall } from "./firewall";
import { planHaproxy, type Haproxy } from "./haproxy";
import { planAppServers, type PlannedAppServer } from "./neighbours";
import { type NeighbouringNetwork, planNetworks } from "./networks";
import { planRelay, type Relay } from "./relay";
import type { AppServer, DatabaseServer, LoadBalancer, Role, Server } from "./servers";
import { basePriority, planVrrp, type SyncGroup } from "./vrrp";

/** Everything decided before a resource exists: same spec, same plan, byte for byte. It holds no secret. */
export interface Plan {
  customer: string;
  /** What can't be renamed is called after it for life. */
  clusterName: string;
  /** Where the machines come from. */
  source: Spec["machines"]["source"];
  sshUser: string;
  nameservers: string[];
  external: Spec["external"];
  internal: Spec["internal"];
  vips: Spec["vips"];
  certificates: Spec["certificates"];
  /** Versions that the load balancers' packages must have, sorted by name. */
  packages: { name: string; version: string }[];
  /** In the order of a rollout: lowest base priority first, so that the usual master is changed last. */
  loadBalancers: PlannedLoadBalancer[];
  /** In the order of a rollout, which follows the load balancers they are reached by; the first founds the cluster. */
  databases: PlannedDatabase[];
  /** In the order of a rollout; the first of each group founds it. */
  appServers: PlannedAppServer[];
  /** Absent where somebody else runs the machines behind the load balancers. */
  database?: DatabaseCluster;
  /** What may come in where; both the cloud's security groups and each server's nftables are made of it. */
  firewall: Firewall;
}

export interface PlannedLoadBalancer extends LoadBalancer {
  /** Addresses on the external network that it has beside its own, in a transition. */
  formerly?: OwnAddress[];
  syncGroup: SyncGroup;
  haproxy: Haproxy;
  relay: Relay;
  networks: NeighbouringNetwork[];
  /** Addresses that the hypervisor's ACL must let this server use besides its own. */
  externalPairs: string[];
  internalPairs: string[];
}

export interface OwnAddress {
  address: string;
  prefixLength: number;
}

export interface PlannedDatabase extends DatabaseServer {
  /** Whether it founds the cluster in the first build of a stack; later all are alike. */
  founder: boolean;
}

export type { PlannedAppServer } from "./neighbours";

/** Of machines that are made, whatever the image is called: Debian 12, and 13, which reads all that 12 does. */
const MADE_RELEASE = "debian-12";

/**
 * What a gateway's port may send from, as it passes on packets of any sender: all of IPv4 but multicast and above, which
 * Neutron refuses in allowed address pairs.
 */
export const ANY_SENDER = ["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"];

export function plan(spec: Spec): Plan {
  const { machines } = spec;
  const existing = machines.source === "existing";
  const balancers = (existing ? existingBalancers(spec, machines) : loadBalancers(spec)).toReversed();
  const databases = existing ? [] : databaseServers(spec);
  const apps = existing ? [] : appServers(spec);
  const servers = { balancers, databases, apps: existing ? existingBackends(spec) : apps };
  const database = existing ? undefined : planDatabase(spec, databases);
  return {
    customer: spec.customer,
    clusterName: spec.clusterName,
    source: machines.source,
    sshUser: spec.ssh.user,
    nameservers: spec.nameservers,
    external: spec.external,
    internal: spec.internal,
    vips: spec.vips,
    certificates: spec.certificates,
    packages: Object.entries(spec.loadBalancers.packages)
      .map(([name, version]) => ({ name, version }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    loadBalancers: balancers.map((node) => {
      const haproxy = planHaproxy(spec, node, servers, database);
      return {
        ...node,
        syncGroup: planVrrp(spec, node, balancers),
        haproxy,
        relay: planRelay(node, balancers, haproxy),
        networks: planNetworks(spec, node, balancers),
        externalPairs: [...vipAddresses(spec, "ipv4"), ...vipAddresses(spec, "ipv6")],
        internalPairs: [spec.internal.vip, ...ANY_SENDER],
      };
    }),
    databases: databases.toReversed().map((node, index) => ({ ...node, founder: index === 0 })),
    appServers: planAppServers(apps.toReversed()),
    ...(database && { database }),
    firewall: planFirewall(spec, servers, database),
  };
}

/** By family, so that a preview of the IPv6 rollout shows pairs that come after those that are there. */
function vipAddresses(spec: Spec, family: "ipv4" | "ipv6"): string[] {
  return spec.vips.map((vip) => vip[family]).filter((ip): ip is string => ip !== undefined);
}

function loadBalancers(spec: Spec): LoadBalancer[] {
  return spec.datacenters.map((datacenter) => {
    const place = { slot: datacenter.slot, row: 0 };
    return {
      ...server(spec, "load-balancer", `lb-${datacenter.name}`, datacenter, place, spec.loadBalancers),
      role: "load-balancer" as const,
      externalInterface: spec.interfaces.external,
      internalInterface: spec.interfaces.internal,
      external: externalAddress(spec, place),
      basePriority: basePriority(datacenter.slot),
      release: MADE_RELEASE,
      configureIpv6: true,
    };
  });
}

function databaseServers(spec: Spec): DatabaseServer[] {
  return spec.datacenters.map((datacenter) => ({
    ...server(spec, "database", `db-${datacenter.name}`, datacenter, { slot: datacenter.slot, row: 0 }, spec.database),
    role: "database" as const,
    internalInterface: spec.interfaces.server,
  }));
}

function appServers(spec: Spec): AppServer[] {
  return spec.appServers.flatMap((group) =>
    spec.datacenters.flatMap((datacenter) =>
      Array.from({ length: group.count[datacenter.name] ?? 0 }, (_, index) => {
        const place = { slot: datacenter.slot, row: rowOf(group, index) };
        return {
          ...server(
            spec,
            "app-server",
            `${group.serversNamed}-${datacenter.name}-${index + 1}`,
            datacenter,
            place,
            group,
          ),
          role: "app-server" as const,
          internalInterface: spec.interfaces.server,
          group: group.name,
          serversNamed: group.serversNamed,
          runtime: group.runtime,
          port: group.port,
        };
      }),
    ),
  );
}

function server(
  spec: Spec,
  role: Role,
  id: string,
  datacenter: Datacenter,
  place: Place,
  { flavor, image }: { flavor: Record<string, string>; image: string },
): Omit<Server, "role" | "internalInterface"> {
  const subnet = serverSubnet(spec, role, place);
  return {
    id,
    hostname: `${spec.customer}-${id}`,
    datacenter: datacenter.name,
    availabilityZone: datacenter.availabilityZone,
    flavor: flavor[datacenter.name]!,
    image,
    internal: internalAddress(spec, role, place),
    ...(subnet === undefined ? {} : { ipv6Subnet: subnet }),
  };
}
