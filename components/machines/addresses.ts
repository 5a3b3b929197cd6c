import * as openstack from "@pulumi/openstack";
import type { Change } from "../../change/change";
import { keyOfMove } from "../../change/checks/addresses";
import type { Deployed } from "../../change/deployed";
import { changesAddresses } from "../../change/moves";
import { contains, parseIp } from "../../config/ip";
import type { Problem } from "../../config/problems";
import { network } from "../../plan/addresses";
import type { Plan, PlannedLoadBalancer } from "../../plan/plan";
import type { CloudSession } from "../../verify/gather/cloud";
import { Neutron, type Subnet } from "../../verify/gather/neutron";

interface Moving {
  node: PlannedLoadBalancer;
  /** Neutron's id of its port on the external network. */
  port: string;
  /** What the state says that it has: by way of one of them the server is reached until it has been told. */
  standing: string[];
  /** What the server may have beside, and beside what is planned. */
  former: string[];
}

/** Where load balancers are to move, and Neutron knows nothing of it. */
export function noSubnets(
  plan: Plan,
  { externalNetwork: networkId }: Deployed,
  { moves }: Pick<Change, "moves">,
): Promise<Problem | undefined>[] {
  const { external, loadBalancers } = plan;
  const former = loadBalancers.flatMap(({ id }) =>
    changesAddresses(moves[id]) ? Object.values(moves[id]!.transition!.formerly).flat() : [],
  );
  const oneOfEach = new Map(former.map((each) => [each.address.includes(":") ? "ipv6" : "ipv4", each]));
  return [...oneOfEach].map(async ([family, each]) => {
    const path = keyOfMove(each, plan);
    const cidr = family === "ipv6" ? external.ipv6!.prefix : external.ipv4.cidr;
    try {
      await openstack.networking.getSubnet({ cidr, ...(networkId !== undefined && { networkId }) });
      return undefined;
    } catch (error) {
      return {
        path,
        cause: `${cidr} is no subnet of ${external.network}: ${error instanceof Error ? error.message : String(error)}`,
        mend: `\`openstack subnet list --network ${external.network}\` shows what the provider has given`,
      };
    }
  });
}

/**
 * Has the load balancers' ports take their new addresses and VIPs beside those that they have: Pulumi changes a port once in a
 * run, and gives the old ones back with that. Nothing on the machines has changed yet. What a port has beside, and no server may
 * have, is given back here.
 *
 * @param open logs in to the cloud, if there is anything to do
 * @returns what Neutron refused, in its words
 */
export async function addAddresses(
  plan: Pick<Plan, "external">,
  { kept, moves }: Pick<Change, "kept" | "moves">,
  open: () => Promise<CloudSession>,
): Promise<Problem[]> {
  const moving = kept.flatMap(({ planned: node, standing }): Moving[] => {
    const move = moves[node.id];
    if (node.role !== "load-balancer" || standing.externalPort === undefined || !changesAddresses(move)) return [];
    const former = (move!.transition!.formerly[node.id] ?? []).map(({ address }) => address);
    return [{ node, port: standing.externalPort, standing: standing.addresses.external ?? [], former }];
  });
  if (moving.length === 0) return [];
  let at = moving[0]!;
  const back: (() => Promise<void>)[] = [];
  try {
    const neutron = new Neutron(await open());
    for (at of moving) back.unshift(await add(neutron, at));
  } catch (error) {
    // Where that fails too, `npm run verify` tells of it.
    for (const undo of back) await undo().catch(() => undefined);
    return [
      {
        path: keyOfMove(Object.values(moves[at.node.id]!.transition!.formerly).flat()[0]!, plan),
        cause: `${at.node.id} can't have its new addresses beside the old ones: ${error instanceof Error ? error.message : String(error)}`,
        mend: "mend what that says: they have to be in a subnet of the same network, and nobody else's",
      },
    ];
  }
  return [];
}

/** @returns what makes it undone */
async function add(neutron: Neutron, { node, port: id, standing, former }: Moving): Promise<() => Promise<void>> {
  const port = await neutron.port(id);
  const subnets = await neutron.subnets(port.network_id);
  const { ipv4, ipv6 } = node.external;
  const planned = [ipv4, ...(ipv6 === undefined ? [] : [ipv6])];
  const wanted = [...planned, ...standing, ...former];
  const stays = port.fixed_ips.filter(({ ip_address }) => wanted.includes(ip_address));
  // A run that was killed may have given back what the state still has.
  const comes = [...new Set([...planned, ...standing.filter((each) => subnetOf(each, subnets) !== undefined)])].filter(
    (each) => !stays.some(({ ip_address }) => ip_address === each),
  );
  const pairs = port.allowed_address_pairs.map(({ ip_address }) => ip_address);
  await neutron.changePort(id, {
    fixed_ips: [...stays, ...comes.map((each) => ({ subnet_id: known(each, subnets), ip_address: each }))],
    allowed_address_pairs: [
      ...port.allowed_address_pairs,
      ...node.externalPairs.filter((each) => !pairs.includes(each)).map((each) => ({ ip_address: each })),
    ],
  });
  const { fixed_ips, allowed_address_pairs } = port;
  return () => neutron.changePort(id, { fixed_ips, allowed_address_pairs });
}

function known(address: string, subnets: readonly Subnet[]): string {
  const found = subnetOf(address, subnets);
  if (found === undefined) throw new Error(`no subnet of the network has ${address}`);
  return found;
}

function subnetOf(address: string, subnets: readonly Subnet[]): string | undefined {
  const ip = parseIp(address)!;
  return subnets.find(({ cidr }) => contains(network(cidr), ip))?.id;
}
