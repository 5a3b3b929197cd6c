import * as openstack from "@pulumi/openstack";
import type { Matched } from "../../change/change";
import { type Deployed, vipPort } from "../../change/deployed";
import type { Problem } from "../../config/problems";
import type { Plan } from "../../plan/plan";

interface Wanted {
  path: string;
  address: string;
}

/**
 * Addresses of the provider's network that the cluster has not yet, and that a port has which this user may see. Of others
 * Neutron tells when they are asked for.
 */
export async function taken(
  plan: Plan,
  { reserved, traces, externalNetwork }: Deployed,
  { created }: Pick<Matched, "created">,
): Promise<Problem[]> {
  if (plan.source === "existing") return [];
  const vips = plan.vips.flatMap(({ name, ...vip }) =>
    (["ipv4", "ipv6"] as const).flatMap((family): Wanted[] => {
      const address = vip[family];
      return address === undefined ? [] : [{ path: `vips.${name}.${family}`, address }];
    }),
  );
  const own = created.flatMap((node): Wanted[] => {
    if (node.role !== "load-balancer" || traces.includes(node.id)) return [];
    const { ipv4, ipv6 } = node.external;
    return [
      { path: "external.ipv4.loadBalancers", address: ipv4 },
      ...(ipv6 === undefined ? [] : [{ path: "external.ipv6.firstSubnet", address: ipv6 }]),
    ];
  });
  const wanted = [...vips.filter(({ address }) => !reserved.includes(vipPort(address))), ...own];
  if (wanted.length === 0) return [];
  const networkId = externalNetwork ?? (await openstack.networking.getNetwork({ name: plan.external.network })).id;
  const problems = await Promise.all(wanted.map((each) => holder(each, networkId)));
  return problems.flatMap((each) => each ?? []);
}

async function holder({ path, address }: Wanted, networkId: string): Promise<Problem | undefined> {
  const found = await portWith(address, networkId);
  if (!found) return undefined;
  const { id, name, deviceId } = found;
  const port = `port ${name === undefined || name === "" ? id : `${name} (${id})`}`;
  if (deviceId !== undefined && deviceId !== "")
    return { path, cause: `${address} is taken: ${port} of ${deviceId} has it`, mend: "write an address that is free" };
  return {
    path,
    cause: `${address} is taken: ${port} has it, which is at no server`,
    mend: `if a run of this stack that was cut made it, or it keeps the address for this cluster, which has a port of its own for that: \`openstack port delete ${id}\`; else write an address that is free`,
  };
}

/** Undefined also where this user may not ask: then Neutron says it when the address is wanted. */
async function portWith(address: string, networkId: string): Promise<openstack.networking.GetPortResult | undefined> {
  try {
    const { ids } = await openstack.networking.getPortIds({ networkId, fixedIp: address });
    return ids[0] === undefined ? undefined : await openstack.networking.getPort({ portId: ids[0], networkId });
  } catch {
    return undefined;
  }
}
