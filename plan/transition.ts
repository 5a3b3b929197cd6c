import { databaseFlow } from "./firewall";
import { type Bind, isDatabaseFrontend } from "./haproxy";
import type { NeighbouringNetwork } from "./networks";
import type { OwnAddress, Plan, PlannedLoadBalancer } from "./plan";
import { planRelay } from "./relay";
import type { VrrpInstance } from "./vrrp";

/** What the adverts of a VRRP instance say, and by what another one recognises them. */
export interface Advert {
  routerId: number;
  addresses: string[];
  transport: VrrpInstance["transport"];
}

/** What load balancers do beside, or otherwise than, what is planned, until everybody else has been told of the plan. */
export interface Transition {
  /** Where applications may still look for the database. */
  endpoints: Bind[];
  /** Internal VIPs that servers may still have as their gateway. */
  gateways: string[];
  /** By instance; of the others as planned. */
  adverts: Record<string, Advert>;
  /** Where applications are asked that have not moved to their planned port yet, by their addresses. */
  ports: Record<string, number>;
  /** By load balancers' ids, what they may have on the external network beside the planned addresses. */
  formerly: Record<string, OwnAddress[]>;
}

/** The plan, and a load balancer of it, as they are in a transition. */
export function inTransition(
  plan: Plan,
  node: PlannedLoadBalancer,
  { endpoints, gateways, adverts, ports, formerly }: Transition,
): { plan: Plan; node: PlannedLoadBalancer } {
  const { firewall, database } = plan;
  const flows = { ...firewall.flows };
  for (const port of new Set(endpoints.map((each) => each.port))) {
    if (port !== database?.port)
      flows["lb-internal"] = [...flows["lb-internal"], databaseFlow(port, firewall.masquerade)];
  }
  const haproxy = {
    ...node.haproxy,
    frontends: node.haproxy.frontends.map((frontend) =>
      isDatabaseFrontend(frontend) ? { ...frontend, binds: [...frontend.binds, ...endpoints] } : frontend,
    ),
    backends: node.haproxy.backends.map((backend) => ({
      ...backend,
      servers: backend.servers.map((each) => ({ ...each, port: ports[each.address] ?? each.port })),
    })),
  };
  const held = [...new Set([...gateways, ...endpoints.map(({ address }) => address)])];
  return {
    plan: { ...plan, firewall: { ...firewall, flows } },
    node: {
      ...node,
      haproxy,
      formerly: formerly[node.id] ?? [],
      networks: [...node.networks, ...formerNetworks(node.id, formerly)],
      relay: planRelay(node, plan.loadBalancers, haproxy),
      syncGroup: {
        ...node.syncGroup,
        instances: node.syncGroup.instances.map((instance) =>
          advertising(instance, adverts[instance.name], instance.name === "INTERN" ? held : []),
        ),
      },
    },
  };
}

/**
 * By the same names as those of the planned addresses: a network is whole while anybody answers by either, and those that were
 * told first have no neighbours in the new one yet.
 */
function formerNetworks(id: string, formerly: Transition["formerly"]): NeighbouringNetwork[] {
  const isIpv6 = (address: string): boolean => address.includes(":");
  return (formerly[id] ?? []).map(({ address: source }) => ({
    name: isIpv6(source) ? "external-ipv6" : "external-ipv4",
    source,
    peers: Object.entries(formerly)
      .flatMap(([peer, own]) => (peer === id ? [] : own.map(({ address }) => address)))
      .filter((address) => isIpv6(address) === isIpv6(source))
      .sort(),
  }));
}

/** @param further addresses that it holds beside its own */
function advertising(instance: VrrpInstance, advert: Advert | undefined, further: readonly string[]): VrrpInstance {
  const { virtualAddress: own, furtherAddresses, excludedAddresses } = instance;
  const planned = [own, ...furtherAddresses, ...excludedAddresses].map(({ address }) => address);
  const said = advert?.addresses ?? [own, ...furtherAddresses].map(({ address }) => address);
  const vip = (address: string): VrrpInstance["virtualAddress"] => ({ ...own, address });
  const [first, ...others] = said;
  return {
    ...instance,
    routerId: advert?.routerId ?? instance.routerId,
    transport: advert?.transport ?? instance.transport,
    virtualAddress: vip(first!),
    furtherAddresses: others.map(vip),
    excludedAddresses: [...new Set([...planned, ...further])].filter((address) => !said.includes(address)).map(vip),
  };
}
