import { contains, containsNetwork, formatIp, parseIp } from "../../config/ip";
import type { Problem } from "../../config/problems";
import type { Spec } from "../../config/spec";
import { network } from "../addresses";
import type { Plan } from "../plan";

/** What only shows once the servers have their addresses: clashes with them, and networks too small for them. */
export function checkAddresses(spec: Spec, planned: Plan): Problem[] {
  return [...clashes(spec, planned), ...room(spec, planned), ...subnets(spec, planned)];
}

function clashes(spec: Spec, planned: Plan): Problem[] {
  const owners = new Map<string, string>();
  for (const node of planned.loadBalancers) {
    owners.set(node.external.ipv4, node.id);
    if (node.external.ipv6 !== undefined) owners.set(node.external.ipv6, node.id);
  }
  for (const node of [...planned.loadBalancers, ...planned.databases, ...planned.appServers]) {
    owners.set(node.internal, node.id);
  }
  const given: [path: string, address: string | undefined, what: string][] = [
    ["external.ipv4.gateway", spec.external.ipv4.gateway, "the provider's gateway"],
    ["external.ipv6.gateway", spec.external.ipv6?.gateway, "the provider's gateway"],
    ["internal.vip", spec.internal.vip, "the internal VIP"],
    ...spec.vips.flatMap((vip): [string, string | undefined, string][] => [
      [`vips.${vip.name}.ipv4`, vip.ipv4, "a VIP"],
      [`vips.${vip.name}.ipv6`, vip.ipv6, "a VIP"],
    ]),
  ];
  const problems: Problem[] = given.flatMap(([path, address, what]) => {
    const owner = address === undefined ? undefined : owners.get(address);
    if (owner === undefined) return [];
    return [
      {
        path,
        cause: `${address} is the address that server ${owner} has of its own`,
        mend: `choose another address for ${what}; \`npm run plan\` lists the servers' addresses`,
      },
    ];
  });
  spec.vips.forEach((vip) => {
    const address = vip.ipv6 === undefined ? undefined : parseIp(vip.ipv6);
    const owner = planned.loadBalancers.find(
      (node) =>
        address && node.ipv6Subnet && vip.ipv6 !== node.external.ipv6 && contains(network(node.ipv6Subnet), address),
    );
    if (owner) {
      problems.push({
        path: `vips.${vip.name}.ipv6`,
        cause: `${vip.ipv6} lies in ${owner.ipv6Subnet}, the /64 that belongs to server ${owner.id} alone`,
        mend: "take VIPs from a further /64 of the prefix, and list it in external.vipRanges",
      });
    }
  });
  return problems;
}

/** What lies behind the first /64 that the provider gave is the customer's for as long as the prefix is. */
function subnets({ external: { ipv6 } }: Spec, { loadBalancers, databases, appServers }: Plan): Problem[] {
  if (ipv6?.firstSubnet === undefined) return [];
  const prefix = network(ipv6.prefix);
  const outside = [...loadBalancers, ...databases, ...appServers].filter(
    ({ ipv6Subnet }) => ipv6Subnet !== undefined && !containsNetwork(prefix, network(ipv6Subnet)),
  );
  const [first] = outside;
  if (!first) return [];
  return [
    {
      path: "external.ipv6.firstSubnet",
      cause: `leaves ${ipv6.prefix} no /64 for ${outside.length} of the servers: ${first.id} would have ${first.ipv6Subnet!}`,
      mend: "give an earlier /64 of the prefix, or have the provider give a larger one",
    },
  ];
}

function room(spec: Spec, planned: Plan): Problem[] {
  const servers = [...planned.databases, ...planned.appServers];
  if (servers.length === 0) return [];
  const internal = network(spec.internal.cidr);
  const addresses = servers.map((node) => parseIp(node.internal)!);
  const last = addresses.reduce((a, b) => (a.value > b.value ? a : b));
  // The last address of an IPv4 network is its broadcast address.
  if (contains(internal, { ...last, value: last.value + 1n })) return [];
  return [
    {
      path: "internal.cidr",
      cause: `${spec.internal.cidr} has no room for the servers: the last would be ${formatIp(last)}`,
      mend: "give a larger internal network, or fewer application servers (appServers.*.perDatacenter)",
    },
  ];
}
