import type { Spec } from "../config/spec";
import type { LoadBalancer } from "./servers";

/** keepalived's vrrp_sync_group: all its instances are master on the same load balancer, or on none. */
export interface SyncGroup {
  name: "VG_1";
  instances: VrrpInstance[];
  scripts: TrackScript[];
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
  peers: string[];
  /** Exactly one and the same for life: keepalived 2.0 to 2.2 make a second master when the number differs between nodes. */
  virtualAddress: VirtualAddress;
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
  fall: number;
  rise: number;
}

export const SCRIPTS = "/opt/ha-cluster";

/**
 * Mastership is sticky: the master's own priority is raised by `sticky`, so that a load balancer that comes back does not
 * take the VIPs again; `haproxy` and `maintenance` outweigh it, and a handover by weight has no gap (a fault has).
 */
const WEIGHT = { sticky: 30, haproxy: -60, maintenance: -60 };

/** 110, 105, 100: the differences are smaller than any weight, and only break ties. */
export function basePriority(datacenterIndex: number): number {
  return 110 - 5 * datacenterIndex;
}

export function planVrrp(spec: Spec, node: LoadBalancer, balancers: LoadBalancer[]): SyncGroup {
  const peers = balancers.filter((peer) => peer.id !== node.id);
  const { external: extern, internal: intern } = spec.interfaces;
  const { advertInterval, routerIds } = spec.vrrp;
  const timing = { priority: node.basePriority, advertInterval };
  const ipv4Version = Number.isInteger(advertInterval) ? 2 : 3;
  const v4 = virtualAddresses(spec, "ipv4", 32, extern);
  const v6 = virtualAddresses(spec, "ipv6", 128, extern);

  const instances: VrrpInstance[] = [];
  if (v4.length > 0) {
    instances.push({
      ...timing,
      name: "EXTERN",
      interface: extern,
      version: ipv4Version,
      authentication: ipv4Version === 2,
      routerId: routerIds.ipv4,
      sourceIp: node.external.ipv4,
      peers: peers.map((peer) => peer.external.ipv4).sort(),
      virtualAddress: v4[0]!,
      excludedAddresses: v4.slice(1),
    });
  }
  if (v6.length > 0 && node.external.ipv6 !== undefined) {
    instances.push({
      ...timing,
      name: "EXTERN6",
      interface: extern,
      version: 3,
      authentication: false,
      routerId: routerIds.ipv6,
      sourceIp: node.external.ipv6,
      peers: peers.map((peer) => peer.external.ipv6!).sort(),
      virtualAddress: v6[0]!,
      excludedAddresses: v6.slice(1),
    });
  }
  instances.push({
    ...timing,
    name: "INTERN",
    interface: intern,
    version: ipv4Version,
    authentication: ipv4Version === 2,
    routerId: routerIds.internal,
    sourceIp: node.internal,
    peers: peers.map((peer) => peer.internal).sort(),
    virtualAddress: { address: spec.internal.vip, prefixLength: 32, interface: intern },
    excludedAddresses: [],
  });
  return {
    name: "VG_1",
    instances,
    scripts: [
      { name: "haproxy", script: `${SCRIPTS}/check-haproxy.sh`, weight: WEIGHT.haproxy, fall: 2, rise: 2 },
      { name: "maintenance", script: `${SCRIPTS}/check-maintenance.sh`, weight: WEIGHT.maintenance, fall: 1, rise: 1 },
      { name: "master", script: `${SCRIPTS}/check-master.sh`, weight: WEIGHT.sticky, fall: 1, rise: 1 },
    ],
  };
}

function virtualAddresses(spec: Spec, family: "ipv4" | "ipv6", prefixLength: number, device: string): VirtualAddress[] {
  return spec.vips.flatMap((vip) => {
    const address = vip[family];
    return address === undefined ? [] : [{ address, prefixLength, interface: device }];
  });
}
