import type { Problem } from "../../config/problems";
import { listNames, pathText } from "../../config/shape/words";
import type { Plan } from "../../plan/plan";
import type { Change } from "../change";
import type { Deployed } from "../deployed";
import { fileIn } from "../files";
import { textsOf } from "../texts";

/** The key by which load balancers have an address of this one's family. */
export function networkOf(address: string): "external.ipv6.prefix" | "external.ipv4.cidr" {
  return address.includes(":") ? "external.ipv6.prefix" : "external.ipv4.cidr";
}

/** While load balancers have both their old and their new addresses, none of these may be a VIP, neither one that comes nor one that goes. */
export function collisions(plan: Plan, deployed: Deployed, { kept, moves }: Pick<Change, "kept" | "moves">): Problem[] {
  const balancers = kept.flatMap(({ planned, standing }) =>
    planned.role === "load-balancer" ? [{ planned, standing }] : [],
  );
  const formerly = balancers.flatMap(({ planned: { id } }) =>
    Object.entries(moves[id]?.due === true ? moves[id].transition!.formerly : {}),
  );
  if (formerly.length === 0) return [];
  const lost = balancers.filter(({ standing }) => standing.lostPorts.includes("external"));
  if (lost.length > 0)
    return [
      {
        path: networkOf(formerly.flatMap(([, all]) => all)[0]!.address),
        cause: `can't be changed while ${listNames(lost.map(({ planned }) => planned.id))} ${lost.length === 1 ? "has" : "have"} no external port`,
        mend: "first, with the network of before, `pulumi up` and `npm run verify -- --repair`",
      },
    ];
  const own = new Map(formerly.flatMap(([id, all]) => all.map(({ address }) => [address, id] as const)));
  const comes = plan.vips.flatMap(({ name, ...vip }) =>
    (["ipv4", "ipv6"] as const).flatMap((family) => {
      const owner = own.get(vip[family] ?? "");
      if (owner === undefined) return [];
      return [
        {
          path: pathText(["vips", name, family]),
          cause: `${vip[family]!} is ${owner}'s own address until this run has moved it`,
          mend: "in two runs: first move the load balancers, then add this VIP; or take another address",
        },
      ];
    }),
  );
  const vips = balancers.flatMap(({ standing }) =>
    textsOf(standing, deployed).flatMap((text) =>
      [...fileIn(text, "/etc/ha-cluster/vips").matchAll(/^\S+ (\S+)\/\d+$/gm)].map(([, address]) => address!),
    ),
  );
  const goes = balancers.flatMap(({ planned: { id, external } }) =>
    [external.ipv4, external.ipv6].flatMap((address) =>
      address !== undefined && vips.includes(address)
        ? [
            {
              path: networkOf(address),
              cause: `gives ${id} the address ${address}, which is a VIP until this run has taken it away`,
              mend: "in two runs: first take that VIP away, `pulumi up`, then write this network",
            },
          ]
        : [],
    ),
  );
  return [...comes, ...goes.slice(0, 1)];
}
