import type { Spec } from "../config/spec";
import type { LoadBalancer } from "./servers";

/** A network as a load balancer sees it: who should answer a ping there. */
export interface NeighbouringNetwork {
  name: "external-ipv4" | "external-ipv6" | "internal";
  /** The load balancer's own address. */
  source: string;
  /** None on the internal network, whose gateway is the internal VIP. */
  gateway?: string;
  /** The other load balancers. */
  peers: string[];
}

export function planNetworks(spec: Spec, node: LoadBalancer, balancers: LoadBalancer[]): NeighbouringNetwork[] {
  const others = balancers.filter((peer) => peer.id !== node.id);
  const { ipv4, ipv6 } = spec.external;
  const source6 = node.external.ipv6;
  return [
    {
      name: "external-ipv4",
      source: node.external.ipv4,
      gateway: ipv4.gateway,
      peers: others.map((peer) => peer.external.ipv4).sort(),
    },
    ...(ipv6 && source6 !== undefined
      ? [
          {
            name: "external-ipv6" as const,
            source: source6,
            gateway: ipv6.gateway,
            peers: others.flatMap((peer) => peer.external.ipv6 ?? []).sort(),
          },
        ]
      : []),
    { name: "internal", source: node.internal, peers: others.map((peer) => peer.internal).sort() },
  ];
}
