import type { ExistingHost, Release } from "../config/spec";

export type Role = "load-balancer" | "database" | "app-server";

/** One machine of the cluster. `id` is its identity in Pulumi's state; `hostname` is only what people read. */
export interface Server {
  id: string;
  hostname: string;
  role: Role;
  datacenter: string;
  availabilityZone: string;
  /** Absent on hosts that somebody else built. */
  flavor?: string;
  /** Name of the image that it is made of; absent on hosts that somebody else built. */
  image?: string;
  /** Its IPv4 address on the internal network. */
  internal: string;
  internalInterface: string;
  /** The /64 of the external prefix that is this server's own; used by load balancers, reserved for the others. */
  ipv6Subnet?: string;
}

export interface LoadBalancer extends Server {
  role: "load-balancer";
  externalInterface: string;
  external: { ipv4: string; ipv6?: string };
  basePriority: number;
  release: Release;
  /** What is known of it where somebody else built it; absent where the machine is made. */
  host?: ExistingHost;
  /** Whether its IPv6 address is set by us; somebody else's host may have it already. */
  configureIpv6: boolean;
}

export interface DatabaseServer extends Server {
  role: "database";
}

/** What a service's requests end at, whoever runs it. */
export interface BackendServer {
  group: string;
  hostname: string;
  internal: string;
  port: number;
}

export interface AppServer extends Server, BackendServer {
  role: "app-server";
  /** What the servers of its group are called, whatever the group is. */
  serversNamed: string;
  runtime: "python";
}

export interface Servers {
  balancers: LoadBalancer[];
  databases: DatabaseServer[];
  apps: BackendServer[];
}
