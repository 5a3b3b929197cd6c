import type { Flow } from "../plan/firewall";

/** Input rules of one interface; without `device`, of all. */
export interface InputRules {
  device?: string;
  flows: readonly Flow[];
}

/** A load balancer's second job: gateway of the internal network. */
export interface Gateway {
  internal: string;
  external: string;
  masquerade: string;
}

/** Connections to one port that another one answers. */
export interface Redirect {
  from: number;
  to: number;
}

/**
 * /etc/nftables.conf, nft(8). The table is ours alone, and is replaced in one transaction: what others made of their own
 * tables stays, and no packet meets half a rule set.
 */
export function renderNftables(
  inputs: readonly InputRules[],
  { gateway, redirects }: { gateway?: Gateway; redirects?: readonly Redirect[] } = {},
): string {
  return `#!/usr/sbin/nft -f
table inet ha_cluster
delete table inet ha_cluster
table inet ha_cluster {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname "lo" accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
${inputs.flatMap(({ device, flows }) => flows.map((flow) => `        ${inputRule(flow, device)}\n`)).join("")}    }
${redirects ? redirectChains(redirects) : ""}${gateway ? gatewayChains(gateway) : ""}}
`;
}

/**
 * What comes in has its new port by the time that the input chain sees it. Afterwards the kernel still knows redirected
 * connections for two minutes, and drops a connection to the new port that would have the same source port as one of them,
 * unless NAT of what comes in is on, which then gives it another one.
 */
function redirectChains(redirects: readonly Redirect[]): string {
  const chain = `    chain prerouting {
        type nat hook prerouting priority dstnat;
${redirects.map(({ from, to }) => `        tcp dport ${from} redirect to :${to}\n`).join("")}    }
`;
  return `    chain source {
        type nat hook input priority 100;
    }
${redirects.length > 0 ? chain : ""}`;
}

function gatewayChains({ internal, external, masquerade }: Gateway): string {
  return `    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "${internal}" oifname "${external}" ip saddr ${masquerade} accept
    }
    chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "${external}" ip saddr ${masquerade} masquerade
    }
`;
}

function inputRule(flow: Flow, device?: string): string {
  return [
    ...(device === undefined ? [] : [`iifname "${device}"`]),
    sender(flow),
    ...protocol(flow),
    `accept comment "${flow.why}"`,
  ].join(" ");
}

function sender({ family, from }: Flow): string {
  if (from.length === 0) return `meta nfproto ${family}`;
  const addresses = from.length === 1 ? from[0] : `{ ${from.join(", ")} }`;
  return `${family === "ipv4" ? "ip" : "ip6"} saddr ${addresses}`;
}

function protocol(flow: Flow): string[] {
  switch (flow.protocol) {
    case "tcp":
    case "udp":
      return [`${flow.protocol} dport ${flow.port}`];
    case "icmp":
      return [`meta l4proto ${flow.family === "ipv4" ? "icmp" : "ipv6-icmp"}`];
    case "vrrp":
      return ["meta l4proto vrrp"];
    case "any":
      return [];
    default:
      return flow.protocol satisfies never;
  }
}
