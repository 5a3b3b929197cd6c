/** What is asked of the hosts, taken from the plan. */
export interface Expected {
  hosts: Host[];
  vips: { ipv4: string[]; ipv6: string[]; internal: string };
  /** virtual_router_id of every instance the cluster will have. */
  routerIds: number[];
  /** What haproxy will bind. */
  binds: Endpoint[];
  /** Backend servers that have to answer every load balancer. */
  backends: Endpoint[];
}

export interface Host {
  name: string;
  external: { ipv4: string; ipv6?: string };
  internal: string;
  interfaces: { external: string; internal: string };
  /** The release that the stack file states, e.g. `ubuntu-16.04`. */
  release?: string;
}

export interface Endpoint {
  address: string;
  port: number;
}

export function endpoint({ address, port }: Endpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
