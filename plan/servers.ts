export type Role = "load-balancer" | "database" | "app-server";

/** One machine of the cluster. `id` is its identity in Pulumi's state; `hostname` is only what people read. */
export interface Server {
  id: string;
  hostname: string;
  role: Role;
  datacenter: string;
  availabilityZone: string;
  flavor: string;
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
}

export interface DatabaseServer extends Server {
  role: "database";
}

export interface AppServer extends Server {
  role: "app-server";
  group: string;
  runtime: "python";
  port: number;
}

export interface Servers {
  balancers: LoadBalancer[];
  databases: DatabaseServer[];
  apps: AppServer[];
}
