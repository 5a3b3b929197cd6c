import { parseIp } from "../config/ip";
import type { Bind, Haproxy } from "./haproxy";
import type { LoadBalancer } from "./servers";

/** UDP, between the load balancers' internal addresses: VXLAN (RFC 7348), and "I am draining". */
export const RELAY_PORT = 4789;
export const DRAIN_PORT = 8405;

/**
 * How a load balancer that has the VIPs passes packets of TCP connections it doesn't know to one that drains: the one that
 * had the VIPs until a moment ago, and still answers the connections it accepted.
 */
export interface Relay {
  self: RelayEnd;
  peers: RelayEnd[];
  externalInterface: string;
  internalInterface: string;
  /** What haproxy listens on at VIPs, by family. */
  services: Record<"ipv4" | "ipv6", Bind[]>;
}

/** A machine's end of the VXLAN; its MAC and link-local address follow from its internal address. */
export interface RelayEnd {
  internal: string;
  mac: string;
  linkLocal: string;
}

export function planRelay(node: LoadBalancer, balancers: LoadBalancer[], haproxy: Haproxy): Relay {
  const binds = haproxy.frontends.flatMap((frontend) => frontend.binds);
  const family = (address: string): "ipv4" | "ipv6" => (address.includes(":") ? "ipv6" : "ipv4");
  return {
    self: relayEnd(node.internal),
    peers: balancers
      .filter((peer) => peer.id !== node.id)
      .map((peer) => relayEnd(peer.internal))
      .sort((a, b) => (a.mac < b.mac ? -1 : 1)),
    externalInterface: node.externalInterface,
    internalInterface: node.internalInterface,
    services: {
      ipv4: binds.filter(({ address }) => family(address) === "ipv4"),
      ipv6: binds.filter(({ address }) => family(address) === "ipv6"),
    },
  };
}

/** For the machine with this internal address. */
export function relayEnd(internal: string): RelayEnd {
  const address = parseIp(internal);
  if (!address) throw new Error(`not an address: ${internal}`);
  const hex = address.value.toString(16).padStart(8, "0");
  return {
    internal,
    // Locally administered.
    mac: `02:00:${hex.match(/../g)!.join(":")}`,
    linkLocal: `fe80::${hex.slice(0, 4)}:${hex.slice(4)}`.replace(/:0{1,3}/g, ":"),
  };
}
