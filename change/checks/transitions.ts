import type { Problem } from "../../config/problems";
import { listNames, pathText } from "../../config/shape/words";
import { certificatePath } from "../../plan/haproxy";
import type { Plan } from "../../plan/plan";
import type { Transition } from "../../plan/transition";
import { renderVips } from "../../render/network";
import { type Adverts, advertsIn, advertsOf, meanwhile } from "../adverts";
import type { Change } from "../change";
import type { Deployed } from "../deployed";
import { fileIn } from "../files";
import { changesAddresses } from "../moves";
import { textsOf } from "../texts";
import { keyOfMove } from "./addresses";

/** A cut run has left load balancers so far apart that no third way of speaking is heard by all of them. */
export function unheard(plan: Plan, deployed: Deployed, { kept }: Change): Problem[] {
  const found = kept
    .filter(({ planned }) => planned.role === "load-balancer")
    .flatMap(({ standing }) => textsOf(standing, deployed).map(advertsIn));
  if (plan.loadBalancers.every(({ syncGroup }) => meanwhile(found, advertsOf(syncGroup)))) return [];
  return [
    {
      path: "vrrp.routerIds",
      cause:
        "(or `vrrp.transport`) are all other ones than the load balancers have, and those differ among each other since a run that was cut: some would not hear the others, and two would have the VIPs",
      mend: "first `pulumi up` with the ids and the transport of that run, or with those from before it; then change them",
    },
  ];
}

/** On hosts that somebody else built nothing is done for the time between. */
export function unheardHosts(plan: Plan, deployed: Deployed): Problem[] {
  const said = (adverts: Adverts): string[] =>
    Object.entries(adverts).map(([name, { routerId, addresses, transport }]) =>
      [name, routerId, transport, ...addresses].join(" "),
    );
  const deaf = plan.loadBalancers.some(({ id, syncGroup }) => {
    const wanted = said(advertsOf(syncGroup));
    return textsOf({ id }, deployed)
      .map((text) => said(advertsIn(text)))
      .some((now) => now.length > 0 && !now.some((each) => wanted.includes(each)));
  });
  if (!deaf) return [];
  return [
    {
      path: "vrrp.routerIds",
      cause:
        "are all other ones at once, or the others' VIPs or transport are: half-way through, load balancers would not hear each other, and two would have the VIPs",
      mend: "change at most two of them in one `pulumi up`, the last in the next",
    },
  ];
}

/**
 * What load balancers do for the time between, they do with what the cloud and their disks have already: a VIP that comes may
 * not be allowed on their ports yet, but where those are told of new addresses first; nor may a certificate be there.
 */
export function transitions(
  plan: Plan,
  { bundles, rollout }: Deployed,
  { kept, unfinished, moves }: Change,
): Problem[] {
  const due = kept.filter(({ planned: { id, role } }) => role === "load-balancer" && moves[id]?.due === true);
  const cut = unfinished.map(({ planned }) => planned.id).filter((id) => !rollout.ended && rollout.brings[id]);
  if (due.length > 0 && cut.length > 0)
    return [
      {
        path: keyOf(plan, moves[due[0]!.planned.id]!.transition!),
        cause: `can't be changed while ${listNames(cut)} may run already, but was never finished: nobody would tell ${cut.length === 1 ? "it" : "them"} in time`,
        mend: "first `pulumi up` with the file of before, which finishes it; then change this",
      },
    ];
  const news = [
    ...new Set(
      due.flatMap(({ planned: { id } }) => newcomers(plan, id, bundles[id] ?? "", changesAddresses(moves[id]))),
    ),
  ].sort();
  if (news.length === 0) return [];
  return [
    {
      path: keyOf(plan, moves[due[0]!.planned.id]!.transition!),
      cause: `can't be changed in the run in which ${listNames(news)} ${news.length === 1 ? "comes" : "come"}: load balancers would need what is not there yet`,
      mend: "in two runs: first the one, then the other",
    },
  ];
}

/**
 * What a load balancer is to have and has not, each in a word; the cloud lets it have any internal VIP.
 *
 * @param allowed whether it lets it have the others already
 */
function newcomers(plan: Plan, id: string, bundle: string, allowed: boolean): string[] {
  const node = plan.loadBalancers.find((each) => each.id === id)!;
  const vips = new Set(fileIn(bundle, "/etc/ha-cluster/vips").split("\n"));
  const addresses = fileIn(bundle, "/etc/ha-cluster/addresses");
  const haproxy = fileIn(bundle, "/etc/haproxy/haproxy.cfg");
  const { ipv6 } = node.external;
  return [
    ...renderVips(node)
      .split("\n")
      .filter((line) => line !== "" && !vips.has(line))
      .map((line) => line.replace(/^\S+ (\S+)\/\d+$/, "$1"))
      .filter((address) => address !== plan.internal.vip && !allowed),
    ...(ipv6 !== undefined && !/^\S+ \S*:\S*\/\d+ /m.test(addresses) && !allowed ? ["external.ipv6"] : []),
    ...plan.certificates
      .filter(({ name }) => !haproxy.includes(` crt ${certificatePath(name)} `))
      .map(({ name }) => pathText(["certificates", name])),
  ];
}

function keyOf(plan: Plan, { endpoints, gateways, formerly, adverts }: Transition): string {
  if (gateways.length > 0) return "internal.vip";
  if (endpoints.length > 0) return "database.port";
  const [former] = Object.values(formerly).flat();
  if (former) return keyOfMove(former, plan);
  const others = plan.loadBalancers[0]!.syncGroup.instances.some(
    ({ name, transport }) => (adverts[name]?.transport ?? transport) !== transport,
  );
  return others ? "vrrp.transport" : "vrrp.routerIds";
}
