import type { Problem } from "../../config/problems";
import { pathText } from "../../config/shape/words";
import type { Plan, PlannedLoadBalancer } from "../../plan/plan";
import type { Change } from "../change";
import type { Deployed } from "../deployed";

/**
 * What load balancers must agree on while they are changed one after the other: some instance by which a backup hears the
 * master, and which addresses are in its adverts.
 */
export function vrrp(plan: Plan, { bundles }: Deployed, { kept }: Change): Problem[] {
  // Each of them: a run that was cut has changed some already.
  const found = plan.loadBalancers
    .filter(({ id }) => kept.some(({ planned }) => planned.id === id))
    .flatMap((node) => disagreements(plan, node, instancesOf(bundles[node.id] ?? "")));
  return [...new Map(found.map((problem) => [problem.path, problem])).values()];
}

function disagreements(plan: Plan, { syncGroup }: PlannedLoadBalancer, now: Map<string, Instance>): Problem[] {
  if (now.size === 0) return [];
  const { instances } = syncGroup;
  const heard = instances.some(({ name, routerId }) => now.get(name)?.routerId === routerId);
  const advertised = instances
    .filter(({ name }) => name === "EXTERN")
    .flatMap(({ virtualAddress, furtherAddresses }) => [virtualAddress, ...furtherAddresses]);
  const moved = advertised.find(({ address }) => now.get("EXTERN")?.excluded.includes(address));
  const vip = plan.vips.find(({ ipv4 }) => ipv4 === moved?.address);
  return [
    ...(heard
      ? []
      : [
          {
            path: "vrrp.routerIds",
            cause:
              "are all other ones at once: half-way through, load balancers would not hear each other, and two would have the VIPs",
            mend: "change at most two of them in one `pulumi up`, the last in the next",
          },
        ]),
    ...(vip
      ? [
          {
            path: pathText(["vips", vip.name, vip.primary ? "primary" : "advertised"]),
            cause: `would bring ${vip.ipv4!} into the adverts of a cluster that runs without it there: half-way through, two load balancers would have the VIPs`,
            mend: `leave it as it was; which VIP is in the adverts means nothing to clients`,
          },
        ]
      : []),
  ];
}

interface Instance {
  routerId: number;
  /** Addresses that are not in its adverts. */
  excluded: string[];
}

/** Of a keepalived.conf as it was pushed. */
function instancesOf(bundle: string): Map<string, Instance> {
  return new Map(
    [...bundle.matchAll(/^vrrp_instance (\S+) \{\n([\s\S]*?)^\}/gm)].map(([, name, text]) => {
      const excluded = /virtual_ipaddress_excluded \{([^}]*)\}/.exec(text!)?.[1] ?? "";
      return [
        name!,
        {
          routerId: Number(/virtual_router_id (\d+)/.exec(text!)?.[1]),
          excluded: [...excluded.matchAll(/^\s*([^\s/]+)\//gm)].map(([, address]) => address!),
        },
      ];
    }),
  );
}
