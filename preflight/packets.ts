import type { Expected, Host } from "./expected";

/** One raw VRRP packet that is sent to learn whether it arrives. */
export interface Packet {
  /** Tells it from all others. */
  word: string;
  from: Host;
  to: Host;
  source: string;
  target: string;
  /** Where it goes, for people. */
  path: "external IPv4" | "external IPv6" | "internal";
  /** Whether the source is a VIP: then the packet asks the hypervisor's ACL. */
  vip: boolean;
}

/** Every pair of hosts, both ways, on every path, from the host's own address and from each VIP. */
export function packets({ hosts, vips }: Expected): Packet[] {
  const sent: Omit<Packet, "word">[] = [];
  for (const from of hosts) {
    for (const to of hosts.filter((host) => host !== from)) {
      const path = (
        name: Packet["path"],
        own: string | undefined,
        target: string | undefined,
        shared: string[],
      ): void => {
        if (own === undefined || target === undefined) return;
        sent.push({ from, to, source: own, target, path: name, vip: false });
        for (const source of shared) sent.push({ from, to, source, target, path: name, vip: true });
      };
      path("external IPv4", from.external.ipv4, to.external.ipv4, vips.ipv4);
      path("external IPv6", from.external.ipv6, to.external.ipv6, vips.ipv6);
      path("internal", from.internal, to.internal, [vips.internal]);
    }
  }
  return sent.map((packet, index) => ({ word: `p${index}`, ...packet }));
}
