import type { Spec } from "../config/spec";
import { type KeepalivedRelease, ROWS } from "./releases";
import type { LoadBalancer } from "./servers";
import { SCRIPT_TIMERS } from "./timers";

/** keepalived's vrrp_sync_group: all its instances are master on the same load balancer, or on none. */
export interface SyncGroup {
  name: "VG_1";
  instances: VrrpInstance[];
  scripts: TrackScript[];
  /** What the daemon of this machine understands. */
  release: KeepalivedRelease;
}

export interface VrrpInstance {
  name: "EXTERN" | "EXTERN6" | "INTERN";
  interface: string;
  version: 2 | 3;
  routerId: number;
  priority: number;
  /** Seconds. */
  advertInterval: number;
  sourceIp: string;
  /** How its adverts travel; a node of one kind hears none of the other. */
  transport: "unicast" | "multicast";
  /** Whose adverts it hears by unicast. */
  peers: string[];
  /**
   * With {@link furtherAddresses}, what adverts carry: the same for life, since keepalived 2.0 to 2.2 make a second master
   * when the number differs between nodes.
   */
  virtualAddress: VirtualAddress;
  /** Only where hand-made files have more than one. */
  furtherAddresses: VirtualAddress[];
  /** Further VIPs, which may come and go: they are not part of the advert. */
  excludedAddresses: VirtualAddress[];
  /** VRRPv2 only; the password itself comes from a file of its own. */
  authentication: boolean;
}

export interface VirtualAddress {
  address: string;
  /** 32 or 128, so that a VIP is never chosen as the source of the server's own connections. */
  prefixLength: number;
  interface: string;
}

export interface TrackScript {
  name: string;
  script: string;
  /** Added to the priority while the script succeeds (positive) or fails (negative). */
  weight: number;
  /** Seconds from one start to the next. */
  interval: number;
  /** Seconds after which a run counts as failed. */
  timeout: number;
  fall: number;
  rise: number;
}

export const SCRIPTS = "/opt/ha-cluster";

/**
 * Mastership is sticky: the master's own priority is raised by `sticky`, so that a load balancer that comes back does not
 * take the VIPs again; `haproxy` and `network` outweigh it, and a handover by weight has no gap (a fault has). `maintenance`
 * outweighs whatever priority another keepalived may have, also one that isn't ours (keepalived keeps the sum above 0).
 */
const WEIGHT = { sticky: 50, haproxy: -80, network: -80, maintenance: -200 };

/**
 * 128, 114, 100: smaller differences than any weight. They break ties, and keep two backups from taking over at once: each waits
 * longer by its skew, (256 - priority) / 256 of an advert interval (RFC 5798 section 6.1), 16 ms apart at 0.3 s.
 */
export function basePriority(slot: number): number {
  return 128 - 14 * (slot - 1);
}

export function planVrrp(spec: Spec, node: LoadBalancer, balancers: LoadBalancer[]): SyncGroup {
  return {
    name: "VG_1",
    instances: [
      ...external4(spec, node, balancers),
      ...external6(spec, node, balancers),
      internal(spec, node, balancers),
    ],
    scripts: [
      script("haproxy", WEIGHT.haproxy, 2),
      script("network", WEIGHT.network, 3),
      script("maintenance", WEIGHT.maintenance, 1),
      script("master", WEIGHT.sticky, 1),
    ],
    release: ROWS[node.release].keepalived,
  };
}

/** `count` is both: how many failures in a row, and how many successes, change the verdict. */
function script(name: string, weight: number, count: number): TrackScript {
  return { name, script: `${SCRIPTS}/check-${name}.sh`, weight, ...SCRIPT_TIMERS, fall: count, rise: count };
}

function external4(spec: Spec, node: LoadBalancer, balancers: LoadBalancer[]): VrrpInstance[] {
  const device = spec.interfaces.external;
  const addresses = (advertised: boolean): VirtualAddress[] =>
    spec.vips
      .filter((vip) => vip.advertised === advertised)
      .flatMap(({ ipv4 }) => (ipv4 === undefined ? [] : [{ address: ipv4, prefixLength: 32, interface: device }]));
  const [first, ...further] = addresses(true);
  if (!first) return [];
  return [
    {
      ...ofIpv4(spec, node, balancers, (each) => each.external.ipv4),
      name: "EXTERN",
      interface: device,
      routerId: spec.vrrp.routerIds.ipv4,
      virtualAddress: first,
      furtherAddresses: further,
      excludedAddresses: addresses(false),
    },
  ];
}

/**
 * Version 3 on machines that are made, whose backups take over the master's interval (RFC 5798 section 6.4.2). In the middle of
 * a rollout a backup of version 2 drops adverts with another interval, version or password, and becomes a second master; but
 * not while one instance of its group still hears the master. Machines that exist speak as their hand-made files did.
 */
function internal(spec: Spec, node: LoadBalancer, balancers: LoadBalancer[]): VrrpInstance {
  const device = spec.interfaces.internal;
  const made = spec.machines.source === "openstack";
  return {
    ...ofIpv4(spec, node, balancers, (each) => each.internal),
    ...(made ? { version: 3 as const, authentication: false } : {}),
    name: "INTERN",
    interface: device,
    routerId: spec.vrrp.routerIds.internal,
    virtualAddress: { address: spec.internal.vip, prefixLength: 32, interface: device },
    furtherAddresses: [],
    excludedAddresses: [],
  };
}

type Common = Pick<
  VrrpInstance,
  "priority" | "advertInterval" | "version" | "authentication" | "sourceIp" | "transport" | "peers"
>;

function ofIpv4(
  { vrrp }: Spec,
  node: LoadBalancer,
  balancers: LoadBalancer[],
  address: (balancer: LoadBalancer) => string,
): Common {
  return {
    priority: node.basePriority,
    advertInterval: vrrp.advertInterval,
    version: vrrp.version,
    authentication: vrrp.authentication,
    sourceIp: address(node),
    transport: vrrp.transport,
    peers: others(node, balancers).map(address).sort(),
  };
}

/** Always unicast: without a source of its own, keepalived would take a link-local address that peers don't expect. */
function external6(spec: Spec, node: LoadBalancer, balancers: LoadBalancer[]): VrrpInstance[] {
  const device = spec.interfaces.external;
  const vips = spec.vips.flatMap(({ ipv6 }) =>
    ipv6 === undefined ? [] : [{ address: ipv6, prefixLength: 128, interface: device }],
  );
  const sourceIp = node.external.ipv6;
  if (vips.length === 0 || sourceIp === undefined) return [];
  const routerId = spec.vrrp.routerIds.ipv6;
  // All of them alike, as adverts have to be.
  const linkLocalFirst = balancers.some((each) => ROWS[each.release].keepalived.linkLocalFirst);
  const linkLocal = { address: `fe80::5:${routerId.toString(16)}`, prefixLength: 128, interface: device };
  const [first, ...excluded] = linkLocalFirst ? [linkLocal, ...vips] : vips;
  return [
    {
      priority: node.basePriority,
      advertInterval: spec.vrrp.advertInterval,
      version: 3,
      authentication: false,
      sourceIp,
      transport: "unicast",
      peers: others(node, balancers)
        .map((peer) => peer.external.ipv6!)
        .sort(),
      name: "EXTERN6",
      interface: device,
      routerId,
      virtualAddress: first!,
      furtherAddresses: [],
      excludedAddresses: excluded,
    },
  ];
}

function others(node: LoadBalancer, balancers: LoadBalancer[]): LoadBalancer[] {
  return balancers.filter((peer) => peer.id !== node.id);
}
