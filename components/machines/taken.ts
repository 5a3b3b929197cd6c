import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { Matched } from "../../change/change";
import { type Deployed, vipPort } from "../../change/deployed";
import type { Problem } from "../../config/problems";
import type { Plan } from "../../plan/plan";

interface Wanted {
  path: string;
  address: string;
  /** Nova's id of the server that is to have it, if that stands: a run that was cut may have given it the address. */
  machine?: string;
}

/**
 * Addresses of the provider's network that the cluster has not yet, and that a port has which this user may see. Of others
 * Neutron tells when they are asked for.
 */
export async function taken(
  plan: Plan,
  { reserved, traces, externalNetwork }: Deployed,
  { created, kept }: Pick<Matched, "created" | "kept">,
): Promise<Problem[]> {
  if (plan.source === "existing") return [];
  const vips = plan.vips.flatMap(({ name, ...vip }) =>
    (["ipv4", "ipv6"] as const).flatMap((family): Wanted[] => {
      const address = vip[family];
      return address === undefined || reserved.includes(vipPort(address))
        ? []
        : [{ path: `vips.${name}.${family}`, address }];
    }),
  );
  const balancers = [
    ...created.filter(({ id }) => !traces.includes(id)).map((node) => ({ node, has: [] as string[] })),
    ...kept.map(({ planned: node, standing }) => ({
      node,
      has: standing.addresses.external ?? [],
      machine: standing.machine,
    })),
  ];
  const own = balancers.flatMap(({ node, has, ...at }): Wanted[] => {
    if (node.role !== "load-balancer") return [];
    const { ipv4, ipv6 } = node.external;
    const all: Wanted[] = [
      { path: "external.ipv4.loadBalancers", address: ipv4, ...at },
      ...(ipv6 === undefined ? [] : [{ path: "external.ipv6.firstSubnet", address: ipv6, ...at }]),
    ];
    return all.filter(({ address }) => !has.includes(address));
  });
  const wanted = [...(plan.external.reserveVips ? vips : []), ...own];
  if (wanted.length === 0) return [];
  try {
    const networkId = externalNetwork ?? (await openstack.networking.getNetwork({ name: plan.external.network })).id;
    const problems = await Promise.all(wanted.map((each) => holder(each, networkId)));
    return problems.flatMap((each) => each ?? []);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    await pulumi.log.warn(
      `nobody knows whether the addresses that are new are taken, as Neutron can't be asked: ${why}`,
    );
    return [];
  }
}

async function holder({ path, address, machine }: Wanted, networkId: string): Promise<Problem | undefined> {
  const { ids } = await openstack.networking.getPortIds({ networkId, fixedIp: address });
  if (ids[0] === undefined) return undefined;
  const { id, name, deviceId } = await openstack.networking.getPort({ portId: ids[0], networkId });
  const port = `port ${name === undefined || name === "" ? id : `${name} (${id})`}`;
  if (deviceId !== undefined && deviceId === machine) return undefined;
  if (deviceId !== undefined && deviceId !== "")
    return { path, cause: `${address} is taken: ${port} of ${deviceId} has it`, mend: "write an address that is free" };
  return {
    path,
    cause: `${address} is taken: ${port} has it, which is at no server`,
    mend: `if a run of this stack that was cut made it, \`npm run recover -- run\`; if it keeps the address for this cluster, which has a port of its own for that, \`openstack port delete ${id}\`; else write an address that is free`,
  };
}
