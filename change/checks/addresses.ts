import { contains, parseIp } from "../../config/ip";
import type { Problem } from "../../config/problems";
import { listNames, pathText } from "../../config/shape/words";
import { network } from "../../plan/addresses";
import type { Plan, PlannedLoadBalancer } from "../../plan/plan";
import type { Change } from "../change";
import type { Deployed } from "../deployed";
import { vipsIn } from "../held";
import { textsOf } from "../texts";

/** The key by which load balancers have another address than this one: another network, or another place in the same. */
export function keyOfMove(
  { address, prefixLength }: Former,
  { external: { ipv4, ipv6 } }: Pick<Plan, "external">,
): string {
  const inPlace = (cidr: string): boolean => {
    const now = network(cidr);
    return contains(now, parseIp(address)!) && (prefixLength ?? now.prefixLength) === now.prefixLength;
  };
  if (address.includes(":"))
    return ipv6 !== undefined && inPlace(ipv6.prefix) ? "external.ipv6.firstSubnet" : "external.ipv6.prefix";
  return inPlace(ipv4.cidr) ? "external.ipv4.loadBalancers" : "external.ipv4.cidr";
}

/** An own address of before; the length of its network where it is known. */
interface Former {
  address: string;
  prefixLength?: number;
}

/** By address, who had it. */
type Owners = ReadonlyMap<string, Former & { owner: string }>;

/**
 * While load balancers have both their old and their new addresses, and until those that leave are gone, none of these may be a
 * VIP, neither one that comes nor one that goes, nor may one be another server's.
 */
export function collisions(
  plan: Plan,
  deployed: Deployed,
  { kept, leaving, moves }: Pick<Change, "kept" | "leaving" | "moves">,
): Problem[] {
  const balancers = kept.flatMap(({ planned, standing }) =>
    planned.role === "load-balancer" ? [{ planned, standing }] : [],
  );
  const moved = balancers.flatMap(({ planned: { id } }) =>
    moves[id]?.due === true
      ? Object.entries(moves[id].transition!.formerly).flatMap(([owner, all]) =>
          all.map((each) => ({ ...each, owner })),
        )
      : [],
  );
  const lost = balancers.filter(({ standing }) => standing.lostPorts.includes("external"));
  if (moved.length > 0 && lost.length > 0)
    return [
      {
        path: keyOfMove(moved[0]!, plan),
        cause: `can't be changed while ${listNames(lost.map(({ planned }) => planned.id))} ${lost.length === 1 ? "has" : "have"} no external port`,
        mend: "first, with the addresses of before, `pulumi up` and `npm run verify -- --repair`",
      },
    ];
  const gone = leaving.flatMap(({ id: owner, addresses }) =>
    (addresses.external ?? []).map((address) => ({ address, owner })),
  );
  const owners: Owners = new Map([...gone, ...moved].map((each) => [each.address, each]));
  // Who comes where another one leaves is refused elsewhere, whatever their addresses; see departures.ts.
  const inPlaces = ownAddresses(plan.loadBalancers).filter(
    ({ id, address }) =>
      moved.some((each) => each.address === address) || kept.some(({ planned }) => planned.id === id),
  );
  const vips = balancers.flatMap(({ standing }) => textsOf(standing, deployed).flatMap(vipsIn));
  return [
    ...comingVips(plan, owners),
    ...goingVips(plan, owners, vips).slice(0, 1),
    ...anothers(plan, inPlaces, owners).slice(0, 1),
  ];
}

function comingVips({ vips }: Plan, owners: Owners): Problem[] {
  return vips.flatMap(({ name, ...vip }) =>
    (["ipv4", "ipv6"] as const).flatMap((family) => {
      const found = owners.get(vip[family] ?? "");
      if (found === undefined) return [];
      return [
        {
          path: pathText(["vips", name, family]),
          cause: `${vip[family]!} is ${found.owner}'s own address until this run has taken it away`,
          mend: "in two runs: first the load balancers, then add this VIP; or take another address",
        },
      ];
    }),
  );
}

function goingVips(plan: Plan, owners: Owners, vips: readonly string[]): Problem[] {
  return ownAddresses(plan.loadBalancers)
    .filter(({ address }) => vips.includes(address))
    .map(({ id, address }) => {
      const was = [...owners.values()].find(
        (each) => each.owner === id && each.address.includes(":") === address.includes(":"),
      );
      return {
        path: keyOfMove(was ?? { address }, plan),
        cause: `gives ${id} the address ${address}, which is a VIP until this run has taken it away`,
        mend: "in two runs: first take that VIP away, `pulumi up`, then write this",
      };
    });
}

function anothers(plan: Plan, own: ReturnType<typeof ownAddresses>, owners: Owners): Problem[] {
  return own.flatMap(({ id, address }) => {
    const found = owners.get(address);
    if (found === undefined || found.owner === id) return [];
    return [
      {
        path: keyOfMove(found, plan),
        cause: `gives ${id} the address ${address}, which is ${found.owner}'s until the end of this run`,
        mend: "in two runs: first addresses that none of them has, `pulumi up`, then these; each goes to the datacenter whose slot is its place in the list",
      },
    ];
  });
}

function ownAddresses(balancers: readonly PlannedLoadBalancer[]): { id: string; address: string }[] {
  return balancers.flatMap(({ id, external: { ipv4, ipv6 } }) =>
    [ipv4, ...(ipv6 === undefined ? [] : [ipv6])].map((address) => ({ id, address })),
  );
}
