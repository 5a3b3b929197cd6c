import type { Problem } from "../../config/problems";
import type { Spec } from "../../config/spec";
import type { Plan, PlannedLoadBalancer } from "../plan";
import type { LoadBalancer } from "../servers";
import type { SyncGroup, VrrpInstance } from "../vrrp";
import { contradiction, groupBy, onEach } from "./report";

const FILE = "plan/vrrp.ts";
const PATH = "(keepalived)";

/** Whether the load balancers' VRRP instances understand each other, and elect one master for all of them. */
export function* checkVrrp(spec: Spec, planned: Plan): Iterable<Problem> {
  yield* onEach(planned, (node) => checkInstances(spec, node, planned.loadBalancers));
  yield* checkAgreement(planned);
  yield* checkPrimary(spec, planned);
  yield* checkPriorities(planned);
}

/** The address a load balancer speaks VRRP from. */
function ownAddress(node: LoadBalancer, name: VrrpInstance["name"]): string | undefined {
  switch (name) {
    case "EXTERN":
      return node.external.ipv4;
    case "EXTERN6":
      return node.external.ipv6;
    case "INTERN":
      return node.internal;
    default:
      return name satisfies never;
  }
}

function* checkInstances(spec: Spec, node: PlannedLoadBalancer, balancers: LoadBalancer[]): Iterable<Problem> {
  for (const instance of node.syncGroup.instances) {
    const { name, sourceIp, transport, peers, interface: device } = instance;
    const own = ownAddress(node, name);
    if (sourceIp !== own) {
      yield contradiction(
        PATH,
        `${name} sends from ${sourceIp}, but the server's own address is ${own ?? "none"}`,
        FILE,
      );
    }
    // keepalived drops adverts of an address that is not among unicast_peer, and both sides become master.
    const others = balancers.filter((each) => each.id !== node.id).map((each) => ownAddress(each, name));
    const meant = name === "EXTERN6" ? "unicast" : spec.vrrp.transport;
    if (transport !== meant) yield contradiction(PATH, `${name} sends by ${transport}, and not by ${meant}`, FILE);
    const missing = new Set(others);
    const strangers = peers.filter((peer) => !missing.delete(peer));
    if (missing.size > 0) {
      yield contradiction(PATH, `${name} lacks the unicast peers ${[...missing].join(", ")}`, FILE);
    }
    if (strangers.length > 0) {
      yield contradiction(
        PATH,
        `${name} has unicast peers that are no other load balancer: ${strangers.join(", ")}`,
        FILE,
      );
    }
    const right = name === "INTERN" ? node.internalInterface : node.externalInterface;
    if (device !== right) {
      yield contradiction(PATH, `${name} runs on the interface ${device}, but its network is on ${right}`, FILE);
    }
    yield* checkVersion(spec, instance);
  }
}

/** Adverts go out in whole seconds in version 2 (RFC 3768 section 5.3.7), in 12 bits of hundredths in version 3 (RFC 5798 section 5.2.7). */
function* checkVersion(spec: Spec, { name, version, advertInterval, authentication }: VrrpInstance): Iterable<Problem> {
  if (version === 2 && name === "EXTERN6") {
    yield contradiction(PATH, `${name} uses VRRPv2, which has no IPv6 (RFC 3768)`, FILE);
  } else if (version === 2 && !(Number.isInteger(advertInterval) && advertInterval >= 1 && advertInterval <= 255)) {
    yield contradiction(PATH, `${name} uses VRRPv2, which can't advertise every ${advertInterval} s`, FILE);
  } else if (version === 3 && !(advertInterval >= 0.01 && advertInterval <= 40.95)) {
    yield contradiction(PATH, `${name} uses VRRPv3, which can't advertise every ${advertInterval} s`, FILE);
  }
  if (authentication !== (version === 2 && spec.vrrp.authentication)) {
    const cause = authentication ? "VRRPv3 with a password, which it has not" : "VRRPv2 without a password";
    yield contradiction(PATH, `${name} uses ${cause} (RFC 5798 section 9)`, FILE);
  }
}

/** What adverts carry: one that differs is thrown away by the others, or makes a second master. */
const CARRIED: [what: string, value: (instance: VrrpInstance) => string | number][] = [
  ["virtual_router_id", (each) => each.routerId],
  ["VRRP version", (each) => each.version],
  ["advert interval", (each) => each.advertInterval],
  [
    "virtual_ipaddress",
    ({ virtualAddress, furtherAddresses }) =>
      [virtualAddress, ...furtherAddresses].map(({ address }) => address).join(" "),
  ],
];

function* checkAgreement({ loadBalancers, source }: Plan): Iterable<Problem> {
  const members = groupBy(
    loadBalancers.flatMap(({ id, syncGroup }) => syncGroup.instances.map((instance) => ({ id, instance }))),
    ({ instance }) => instance.name,
  );
  for (const [name, everywhere] of members) {
    for (const [what, value] of CARRIED) {
      const values = groupBy(everywhere, ({ instance }) => value(instance));
      if (values.size < 2) continue;
      const shown = [...values].map(([text, on]) => `${text} on ${on.map(({ id }) => id).join(", ")}`);
      yield contradiction(PATH, `${name} has not the same ${what} everywhere: ${shown.join("; ")}`, FILE);
    }
  }
  // keepalived 1.2 elects no master at all when two instances of a sync group share one.
  const ids = groupBy(
    [...members].flatMap(([name, all]) =>
      [...new Set(all.map(({ instance }) => instance.routerId))].map((id) => ({ name, id })),
    ),
    ({ id }) => id,
  );
  for (const [id, sharing] of ids) {
    const names = sharing.map(({ name }) => name);
    const differing = names.some(
      (name) => new Set(members.get(name)!.map(({ instance }) => instance.routerId)).size > 1,
    );
    // Hand-made files may have it so where two instances are on different networks, and config/ has looked at that.
    if (names.length < 2 || differing || source === "existing") continue;
    yield contradiction("vrrp.routerIds", `${names.join(" and ")} share the virtual_router_id ${id}`, FILE);
  }
}

/** The address in virtual_ipaddress stays for the cluster's life, so it is that of the VIP which does. */
function* checkPrimary(spec: Spec, { loadBalancers }: Plan): Iterable<Problem> {
  const primary = spec.vips.find((vip) => vip.primary);
  const advertised = loadBalancers.flatMap(({ syncGroup }) =>
    syncGroup.instances.filter(({ name }) => name === "EXTERN").map((each) => each.virtualAddress.address),
  );
  const [only, ...others] = new Set(advertised);
  if (!primary || only === undefined || others.length > 0 || only === primary.ipv4) return;
  const cause = `EXTERN advertises ${only}, but the primary VIP is ${primary.ipv4 ?? "without IPv4"}`;
  yield contradiction(`vips.${primary.name}.primary`, cause, FILE);
}

/** keepalived.conf(5), `priority` and `weight`: from 1 to 254, and 255 is the owner's, which never steps back. */
const [LOWEST, HIGHEST] = [1, 254];

function* checkPriorities({ loadBalancers }: Plan): Iterable<Problem> {
  for (const { id, basePriority, syncGroup } of loadBalancers) {
    const differing = syncGroup.instances.filter((each) => each.priority !== basePriority);
    if (differing.length === 0) continue;
    const names = differing.map((each) => `${each.name} ${each.priority}`).join(", ");
    yield contradiction(PATH, `${id}: its base priority is ${basePriority}, but not that of ${names}`, FILE);
  }
  for (const [priority, equal] of groupBy(loadBalancers, (node) => node.basePriority)) {
    if (equal.length < 2) continue;
    const ids = equal.map(({ id }) => id).join(", ");
    yield contradiction(PATH, `${ids} have the same priority ${priority}, so no master is certain`, FILE);
  }
  const bases = loadBalancers.map((node) => node.basePriority);
  const [lowest, highest] = [Math.min(...bases), Math.max(...bases)];
  yield* onEach({ loadBalancers }, ({ syncGroup }) => checkWeights(syncGroup, lowest, highest));
}

/**
 * A healthy master stays when one with a higher base priority returns; one whose haproxy fails, or which is to hand over, gives
 * way even to the lowest. keepalived.conf(5): a positive weight counts while the script succeeds, a negative one while it fails.
 */
function* checkWeights({ scripts }: SyncGroup, lowest: number, highest: number): Iterable<Problem> {
  const sticky = scripts.reduce((sum, { weight }) => sum + Math.max(0, weight), 0);
  if (lowest + sticky <= highest) {
    yield contradiction(
      PATH,
      `a master of ${lowest} + ${sticky} loses the VIPs to a healthy backup of ${highest}`,
      FILE,
    );
  }
  for (const { name, weight } of scripts.filter((each) => each.weight < 0)) {
    if (highest + sticky + weight < lowest) continue;
    const cause = `a master of ${highest} + ${sticky} keeps the VIPs although its check ${name} fails (${weight})`;
    yield contradiction(PATH, `${cause}: a backup has ${lowest}`, FILE);
  }
  // A failure may well end at the lower limit, which is below every healthy one.
  if (lowest > LOWEST && highest + sticky <= HIGHEST) return;
  const cause = `priorities go from ${lowest} to ${highest + sticky}, but keepalived cuts them to ${LOWEST} to ${HIGHEST}`;
  yield contradiction(PATH, cause, FILE);
}
