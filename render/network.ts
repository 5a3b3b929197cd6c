import { parseNetwork } from "../config/ip";
import type { Plan, PlannedLoadBalancer } from "../plan/plan";
import type { Server } from "../plan/servers";

/** One address of a machine as interfaces(5) and node/network.sh want it. */
interface Stanza {
  device: string;
  address: string;
  prefixLength: number;
  gateway?: string;
}

/** A VIP is never among them: it is keepalived's alone. */
export function loadBalancerStanzas(plan: Plan, node: PlannedLoadBalancer): Stanza[] {
  const { ipv4, ipv6 } = plan.external;
  const device = node.externalInterface;
  const stanzas: Stanza[] = [
    { device, address: node.external.ipv4, prefixLength: prefixLength(ipv4.cidr), gateway: ipv4.gateway },
  ];
  if (ipv6 && node.external.ipv6 !== undefined) {
    stanzas.push({
      device,
      address: node.external.ipv6,
      prefixLength: prefixLength(ipv6.prefix),
      gateway: ipv6.gateway,
    });
  }
  return [
    ...stanzas,
    ...(node.formerly ?? []).map((each) => ({ device, ...each })),
    { device: node.internalInterface, address: node.internal, prefixLength: prefixLength(plan.internal.cidr) },
  ];
}

/** Servers behind the load balancers: IPv4 only, and the internal VIP is their gateway. */
export function internalStanzas(plan: Plan, node: Server): Stanza[] {
  return [
    {
      device: node.internalInterface,
      address: node.internal,
      prefixLength: prefixLength(plan.internal.cidr),
      gateway: plan.internal.vip,
    },
  ];
}

/** /etc/network/interfaces, interfaces(5). */
export function renderInterfaces(stanzas: readonly Stanza[], nameservers: readonly string[]): string {
  const devices = [...new Set(stanzas.map((each) => each.device))];
  const dns = nameservers.length > 0 ? `    dns-nameservers ${nameservers.join(" ")}\n` : "";
  return [
    `auto lo
iface lo inet loopback
`,
    ...devices.map((device, index) =>
      [
        `auto ${device}\n`,
        ...stanzas
          .filter((each) => each.device === device)
          .map((each, k) => stanza(each, index === 0 && k === 0 ? dns : "")),
      ].join(""),
    ),
  ].join("\n");
}

/** Without `auto`: for interfaces that another file brings up. */
export function renderStanzas(stanzas: readonly Stanza[]): string {
  return stanzas.map((each) => stanza(each, "")).join("");
}

function stanza({ device, address, prefixLength: length, gateway }: Stanza, dns: string): string {
  return `iface ${device} ${address.includes(":") ? "inet6" : "inet"} static
    address ${address}/${length}
${gateway === undefined ? "" : `    gateway ${gateway}\n`}${dns}`;
}

/** The same for node/network.sh, which brings a running machine there without taking an interface down. */
export function renderAddresses(stanzas: readonly Stanza[]): string {
  return stanzas.map((each) => `${each.device} ${each.address}/${each.prefixLength} ${each.gateway ?? "-"}\n`).join("");
}

/** Every VIP that keepalived may put on this machine, for node/drop-vips.sh. */
export function renderVips(node: PlannedLoadBalancer): string {
  return node.syncGroup.instances
    .flatMap((instance) => [instance.virtualAddress, ...instance.furtherAddresses, ...instance.excludedAddresses])
    .map((vip) => `${vip.interface} ${vip.address}/${vip.prefixLength}\n`)
    .join("");
}

/** Who should answer a ping, for node/check-network.sh. */
export function renderNetworks({ networks }: PlannedLoadBalancer): string {
  return networks
    .map(({ name, source, gateway = "-", peers }) => `${[name, source, gateway, ...peers].join(" ")}\n`)
    .join("");
}

/** sysctl.d(5): a load balancer is the internal network's gateway. No `ip_nonlocal_bind`: haproxy binds `transparent`. */
export const FORWARDING = `net.ipv4.ip_forward = 1
`;

function prefixLength(text: string): number {
  const network = parseNetwork(text);
  if (!network) throw new Error(`not a network: ${text}`);
  return network.prefixLength;
}
