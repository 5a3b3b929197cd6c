import type { Family } from "../../config/ip";
import type { Problem } from "../../config/problems";
import type { Spec } from "../../config/spec";
import { ANY_SENDER, type Plan, type PlannedLoadBalancer } from "../plan";
import type { VrrpInstance } from "../vrrp";
import { contradiction, onEach, repeated } from "./report";

interface VipAddress {
  /** Its key in the stack file. */
  path: string;
  address: string;
  instance: VrrpInstance["name"];
  prefixLength: number;
}

const INSTANCE: Record<Family, VrrpInstance["name"]> = { ipv4: "EXTERN", ipv6: "EXTERN6" };
const LENGTH: Record<Family, number> = { ipv4: 32, ipv6: 128 };

/** Every VIP may leave every load balancer's port, and is in one VRRP instance there; nothing else may or is. */
export function* checkVips(spec: Spec, planned: Plan): Iterable<Problem> {
  for (const key of ["external", "internal", "vips"] as const) {
    if (JSON.stringify(planned[key]) === JSON.stringify(spec[key])) continue;
    yield contradiction(key, "the plan has not what the stack file says", "plan/plan.ts");
  }
  const outside = spec.vips.flatMap((vip) =>
    (["ipv4", "ipv6"] as const).flatMap((family): VipAddress[] =>
      vip[family] === undefined
        ? []
        : [
            {
              path: `vips.${vip.name}.${family}`,
              address: vip[family],
              instance: INSTANCE[family],
              prefixLength: LENGTH[family],
            },
          ],
    ),
  );
  const inside: VipAddress = {
    path: "internal.vip",
    address: spec.internal.vip,
    instance: "INTERN",
    prefixLength: LENGTH.ipv4,
  };
  const passedOn = ANY_SENDER.map((address) => ({ path: "internal.cidr", address }));
  yield* onEach(planned, function* (node) {
    yield* checkPairs("external", node.externalPairs, outside);
    yield* checkPairs("internal", node.internalPairs, [inside, ...passedOn]);
    yield* checkInstances(node, [...outside, inside]);
  });
}

function* checkPairs(
  port: string,
  pairs: readonly string[],
  wanted: { path: string; address: string }[],
): Iterable<Problem> {
  const file = "plan/plan.ts";
  const given = new Set(pairs);
  for (const { path, address } of wanted) {
    if (given.delete(address)) continue;
    const cause = `${address} is no allowed address pair of the ${port} port, so the hypervisor drops what it sends`;
    yield contradiction(path, cause, file);
  }
  for (const address of given) {
    const cause = `the ${port} port may send from ${address}, which no VIP accounts for`;
    yield contradiction("(allowed address pairs)", cause, file);
  }
  // Neutron refuses the port as a whole.
  for (const address of repeated(pairs)) {
    yield contradiction("(allowed address pairs)", `${address} stands twice at the ${port} port`, file);
  }
}

function* checkInstances(node: PlannedLoadBalancer, wanted: VipAddress[]): Iterable<Problem> {
  const file = "plan/vrrp.ts";
  const missing = new Map(wanted.map((vip) => [vip.address, vip]));
  const taken = new Set<string>();
  for (const { name, virtualAddress, furtherAddresses, excludedAddresses } of node.syncGroup.instances) {
    const device = name === "INTERN" ? node.internalInterface : node.externalInterface;
    for (const { address, prefixLength, interface: on } of [
      virtualAddress,
      ...furtherAddresses,
      ...excludedAddresses,
    ]) {
      // keepalived 2.0 wants a link-local address before global ones; it is nobody's VIP.
      if (address.startsWith("fe80:") && address === virtualAddress.address) continue;
      const vip = missing.get(address);
      missing.delete(address);
      if (taken.has(address)) {
        yield contradiction("(keepalived)", `${address} is a virtual address twice, the second time in ${name}`, file);
      } else if (!vip) {
        yield contradiction("(keepalived)", `${name} has the virtual address ${address}, which is no VIP`, file);
      } else if (vip.instance !== name) {
        yield contradiction(
          vip.path,
          `${address} is in the VRRP instance ${name}, but belongs in ${vip.instance}`,
          file,
        );
      } else if (prefixLength !== vip.prefixLength || on !== device) {
        const cause = `${address} is set as /${prefixLength} on ${on}, but belongs as /${vip.prefixLength} on ${device}`;
        yield contradiction(vip.path, cause, file);
      }
      taken.add(address);
    }
  }
  for (const { path, address, instance } of missing.values()) {
    yield contradiction(
      path,
      `${address} is in no VRRP instance (it belongs in ${instance}), so nobody answers for it`,
      file,
    );
  }
}
