import { contains, formatNetwork, type Network, overlaps, parseIp } from "../../config/ip";
import type { Problem } from "../../config/problems";
import type { Spec } from "../../config/spec";
import { network } from "../addresses";
import type { Tenant } from "../tenants";

/** What belongs to one customer alone, and the key that gives it. */
interface Holding {
  path: string;
  /** Whose it is within the stack, where the key doesn't say it. */
  of?: string;
}

interface Address extends Holding {
  address: string;
}

interface Subnet extends Holding {
  subnet: Network;
}

/** Where the files are of clusters whose networks have nothing to do with each other. */
const ELSEWHERE = "files of clusters on another provider's network belong into another folder";

/**
 * What two customers have both, and only one can: refused before anything is made, as Neutron's answer would come in the
 * middle, and for a VIP never.
 */
export function checkTenants(own: Tenant, others: readonly Tenant[]): Problem[] {
  return others.flatMap((other) => [
    ...names(own, other),
    ...(onOneNetwork(own, other) ? [...addresses(own, other), ...subnets(own, other), ...routers(own, other)] : []),
  ]);
}

/** Ranges that two customers may both take VIPs from; nothing is lost as long as neither does. */
export function warnTenants(own: Tenant, others: readonly Tenant[]): Problem[] {
  return others
    .filter((other) => onOneNetwork(own, other))
    .flatMap((other) =>
      own.spec.external.vipRanges.flatMap((range, index): Problem[] => {
        const theirs = other.spec.external.vipRanges.findIndex((each) => overlaps(network(range), network(each)));
        if (theirs < 0) return [];
        return [
          {
            path: `external.vipRanges[${index}]`,
            cause: `${range} overlaps ${other.spec.external.vipRanges[theirs]!}, \`external.vipRanges[${theirs}]\` of ${other.file}`,
            mend: "write into each file what the provider allows this customer alone",
          },
        ];
      }),
    );
}

/** The embedded cloud is a provider of its own, whatever the addresses; any other clouds may be projects of one. */
function onOneNetwork(own: Tenant, other: Tenant): boolean {
  const embedded = ({ cloud }: Tenant): boolean => cloud?.startsWith("lab-") ?? false;
  if (embedded(own) !== embedded(other)) return false;
  return !made(own) || !made(other) || own.spec.external.network === other.spec.external.network;
}

function made({ spec }: Tenant): boolean {
  return spec.machines.source === "openstack";
}

function names(own: Tenant, other: Tenant): Problem[] {
  if (!made(own) || !made(other) || own.cloud !== other.cloud) return [];
  return (["customer", "clusterName"] as const)
    .filter((key) => own.spec[key] === other.spec[key])
    .slice(0, 1)
    .map((key) => ({
      path: key,
      cause: `is ${own.spec[key]} in ${other.file} too, in the same project (openstack:cloud): servers, groups and key pairs of both would have the same names`,
      mend: "give each customer a name or a project of its own",
    }));
}

function addresses(own: Tenant, other: Tenant): Problem[] {
  const theirs = new Map(addressesOf(other).map((each) => [each.address, each]));
  return addressesOf(own).flatMap(({ address, path, of }) => {
    const owner = theirs.get(address);
    if (!owner) return [];
    return [
      {
        path,
        cause: `${whose(of)}${address} is ${described(owner, other)} as well`,
        mend: `give one of them another address; ${ELSEWHERE}`,
      },
    ];
  });
}

/** By each pair of stacks once, as whoever has the same prefix shares them all. */
function subnets(own: Tenant, other: Tenant): Problem[] {
  const [ours, theirs] = [subnetsOf(own), subnetsOf(other)];
  const both = ours.flatMap((one) =>
    theirs.filter((each) => overlaps(one.subnet, each.subnet)).map((each) => ({ one, each })),
  );
  const [first] = both;
  if (first) {
    const { one, each } = first;
    return [
      {
        path: one.path,
        cause: `${whose(one.of)}${formatNetwork(one.subnet)} is ${described(each, other)} as well${both.length > 1 ? `, and so are ${both.length - 1} more` : ""}`,
        mend: `give one of the customers other /64s (external.ipv6.firstSubnet); ${ELSEWHERE}`,
      },
    ];
  }
  const inside = (vips: Tenant, of: readonly Subnet[]) =>
    vips.spec.vips.flatMap(({ name, ipv6 }) => {
      const found = ipv6 === undefined ? undefined : of.find(({ subnet }) => contains(subnet, parseIp(ipv6)!));
      return found ? [{ name, ipv6: ipv6!, found }] : [];
    });
  return [
    ...inside(own, theirs).map(({ name, ipv6, found }) => ({
      path: `vips.${name}.ipv6`,
      cause: `${ipv6} lies in ${formatNetwork(found.subnet)}, ${described(found, other)}`,
      mend: `take VIPs from a /64 that is nobody's; ${ELSEWHERE}`,
    })),
    ...inside(other, ours).map(({ name, ipv6, found }) => ({
      path: found.path,
      cause: `${whose(found.of)}${formatNetwork(found.subnet)} holds ${ipv6}, \`vips.${name}.ipv6\` of ${other.file}`,
      mend: `give the servers other /64s (external.ipv6.firstSubnet); ${ELSEWHERE}`,
    })),
  ];
}

/** Adverts by unicast reach nobody but the peers; by multicast everybody on the network, whoever has that id. */
function routers(own: Tenant, other: Tenant): Problem[] {
  const external = ({ spec }: Tenant): Network => network(spec.external.ipv4.cidr);
  const spoken = [own, other].some(({ spec }) => spec.vrrp.transport === "multicast");
  const { ipv4 } = own.spec.vrrp.routerIds;
  if (!spoken || ipv4 !== other.spec.vrrp.routerIds.ipv4 || !overlaps(external(own), external(other))) return [];
  return [
    {
      path: "vrrp.routerIds.ipv4",
      cause: `${ipv4} is \`vrrp.routerIds.ipv4\` of ${other.file} too, and one of the two speaks multicast: they would take each other's adverts for their own`,
      mend: `give one of them another id, or have both speak unicast (vrrp.transport); ${ELSEWHERE}`,
    },
  ];
}

function whose(of: string | undefined): string {
  return of === undefined ? "" : `${of}'s `;
}

function described({ path, of }: Holding, { file }: Tenant): string {
  return of === undefined ? `\`${path}\` of ${file}` : `${of}'s in ${file} (\`${path}\`)`;
}

function addressesOf({ spec, plan }: Tenant): Address[] {
  const vips = spec.vips.flatMap(({ name, ...vip }) =>
    (["ipv4", "ipv6"] as const).flatMap((family): Address[] => {
      const address = vip[family];
      return address === undefined ? [] : [{ address, path: `vips.${name}.${family}` }];
    }),
  );
  const own = plan.loadBalancers.map(({ id, datacenter, external }): Address => ({
    address: external.ipv4,
    ...ownKey(spec, id, datacenter, "ipv4"),
  }));
  return [...vips, ...own];
}

/** The /64s in which servers have their addresses; of machines that exist, those of the load balancers. */
function subnetsOf({ spec, plan }: Tenant): Subnet[] {
  return [...plan.loadBalancers, ...plan.databases, ...plan.appServers].flatMap((node): Subnet[] => {
    const own = "external" in node ? node.external.ipv6 : undefined;
    const subnet = node.ipv6Subnet ?? (own === undefined ? undefined : `${own}/64`);
    return subnet === undefined ? [] : [{ subnet: network(subnet), ...ownKey(spec, node.id, node.datacenter, "ipv6") }];
  });
}

function ownKey({ machines }: Spec, id: string, datacenter: string, family: "ipv4" | "ipv6"): Holding {
  if (machines.source === "existing") return { path: `machines.loadBalancers.${datacenter}.external.${family}` };
  return { path: family === "ipv4" ? "external.ipv4.loadBalancers" : "external.ipv6.firstSubnet", of: id };
}
