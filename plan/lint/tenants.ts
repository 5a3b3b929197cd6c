import { contains, formatNetwork, type Network, overlaps, parseIp } from "../../config/ip";
import type { Problem } from "../../config/problems";
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
const ELSEWHERE = "files of clusters on another provider's network belong into a checkout of their own";

/** What a stack has of the provider's network already. */
export interface Held {
  /** Whether anything was pushed to a load balancer of it. */
  built: boolean;
  /** Its VIPs and its load balancers' own addresses. */
  addresses: ReadonlySet<string>;
}

export const NOTHING_HELD: Held = { built: false, addresses: new Set() };

interface Clash extends Problem {
  /** Whether this stack has it for longer than this file says so: who came later is to give way, and this may be the one before. */
  before: boolean;
}

/**
 * What two customers have both, and only one can: refused before anything is made, as Neutron's answer would come in the
 * middle. Of what this stack has already it is a warning: another file, which may be a draft, keeps nobody from running.
 */
export function checkTenants(
  own: Tenant,
  others: readonly Tenant[],
  held: Held,
): { problems: Problem[]; warnings: Problem[] } {
  const clashes = others.flatMap((other) => [
    ...names(own, other, held),
    ...(onOneNetwork(own, other)
      ? [
          ...addresses(own, other, held),
          ...subnets(own, other, held),
          ...ranges(own, other, held),
          ...routers(own, other, held),
        ]
      : []),
  ]);
  const those = (wanted: boolean): Problem[] =>
    clashes.filter(({ before }) => before === wanted).map(({ path, cause, mend }) => ({ path, cause, mend }));
  return { problems: those(false), warnings: those(true) };
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

/** Neutron and Nova let two of a kind have one name, but no user two key pairs. */
function names(own: Tenant, other: Tenant, { built }: Held): Clash[] {
  if (!made(own) || !made(other) || own.cloud !== other.cloud) return [];
  const { customer, clusterName } = own.spec;
  if (clusterName === other.spec.clusterName)
    return [
      {
        path: clusterName === customer ? "customer" : "clusterName",
        cause: `is ${clusterName} in ${other.file} too, in the same project (openstack:cloud): servers, groups and the key pair of both would have the same names`,
        mend: "give each cluster a name or a project of its own",
        before: built,
      },
    ];
  if (customer !== other.spec.customer) return [];
  return [
    {
      path: "customer",
      cause: `is ${customer} in ${other.file} too, in the same project (openstack:cloud): servers of both have the same names`,
      mend: "nothing breaks of that; one that is not built yet may have another name",
      before: true,
    },
  ];
}

function addresses(own: Tenant, other: Tenant, held: Held): Clash[] {
  const theirs = new Map(addressesOf(other).map((each) => [each.address, each]));
  return addressesOf(own).flatMap(({ address, path, of }) => {
    const owner = theirs.get(address);
    if (!owner) return [];
    return [
      {
        path,
        cause: `${whose(of)}${address} is ${described(owner, other)} as well`,
        mend: `give one of them another address; ${ELSEWHERE}`,
        before: held.addresses.has(address),
      },
    ];
  });
}

/** By each pair of stacks once, as whoever has the same prefix shares them all. */
function subnets(own: Tenant, other: Tenant, held: Held): Clash[] {
  const [ours, theirs] = [subnetsOf(own), subnetsOf(other)];
  const inPlace = own.plan.loadBalancers.every(
    ({ external: { ipv6 } }) => ipv6 !== undefined && held.addresses.has(ipv6),
  );
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
        before: inPlace,
      },
    ];
  }
  const inside = (holder: Tenant, of: readonly Subnet[]) =>
    addressesOf(holder).flatMap((each) => {
      const found = of.find(({ subnet }) => contains(subnet, parseIp(each.address)!));
      return found ? [{ each, found }] : [];
    });
  return [
    ...inside(own, theirs).map(({ each: { address, path, of }, found }) => ({
      path,
      cause: `${whose(of)}${address} lies in ${formatNetwork(found.subnet)}, ${described(found, other)}`,
      mend: `take addresses from a /64 that is nobody's; ${ELSEWHERE}`,
      before: held.addresses.has(address),
    })),
    ...inside(other, ours).map(({ each, found }) => ({
      path: found.path,
      cause: `${whose(found.of)}${formatNetwork(found.subnet)} holds ${each.address}, ${described(each, other)}`,
      mend: `give the servers other /64s (external.ipv6.firstSubnet); ${ELSEWHERE}`,
      before: inPlace,
    })),
  ];
}

/** Both may take a VIP from there; nothing is lost as long as one of them does not. */
function ranges(own: Tenant, other: Tenant, { built }: Held): Clash[] {
  return own.spec.external.vipRanges.flatMap((range, index) => {
    const theirs = other.spec.external.vipRanges.findIndex((each) => overlaps(network(range), network(each)));
    if (theirs < 0) return [];
    return [
      {
        path: `external.vipRanges[${index}]`,
        cause: `${range} overlaps ${other.spec.external.vipRanges[theirs]!}, \`external.vipRanges[${theirs}]\` of ${other.file}`,
        mend: `write into each file what the provider allows this customer alone; ${ELSEWHERE}`,
        before: built,
      },
    ];
  });
}

/** Adverts by unicast reach nobody but the peers; by multicast everybody on the network, whoever has that id. */
function routers(own: Tenant, other: Tenant, { built }: Held): Clash[] {
  const external = ({ spec }: Tenant): Network => network(spec.external.ipv4.cidr);
  const spoken = [own, other].some(({ spec }) => spec.vrrp.transport === "multicast");
  const { ipv4 } = own.spec.vrrp.routerIds;
  if (!spoken || ipv4 !== other.spec.vrrp.routerIds.ipv4 || !overlaps(external(own), external(other))) return [];
  return [
    {
      path: "vrrp.routerIds.ipv4",
      cause: `${ipv4} is \`vrrp.routerIds.ipv4\` of ${other.file} too, and one of the two speaks multicast: they would take each other's adverts for their own`,
      mend: `give one of them another id, or have both speak unicast (vrrp.transport); ${ELSEWHERE}`,
      before: built,
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
  const own = plan.loadBalancers.flatMap(({ id, datacenter, external: { ipv4, ipv6 } }): Address[] =>
    spec.machines.source === "openstack"
      ? [{ address: ipv4, path: "external.ipv4.loadBalancers", of: id }]
      : [
          { address: ipv4, path: `machines.loadBalancers.${datacenter}.external.ipv4` },
          ...(ipv6 === undefined
            ? []
            : [{ address: ipv6, path: `machines.loadBalancers.${datacenter}.external.ipv6` }]),
        ],
  );
  return [...vips, ...own];
}

/** The /64s that servers have for themselves; hosts that somebody else built may share one. */
function subnetsOf({ plan }: Tenant): Subnet[] {
  return [...plan.loadBalancers, ...plan.databases, ...plan.appServers].flatMap(({ id, ipv6Subnet }): Subnet[] =>
    ipv6Subnet === undefined ? [] : [{ subnet: network(ipv6Subnet), path: "external.ipv6.firstSubnet", of: id }],
  );
}
