import type { Plan } from "./plan";
import type { Login } from "../config/spec";
import type { LoadBalancer, Server } from "./servers";

/** What an operator asks of a cluster: where it answers, who is who, how to get there. */
export interface Description {
  vips: Record<string, { ipv4?: string; ipv6?: string }>;
  urls: string[];
  servers: Record<string, ServerDescription>;
  /** Per load balancer, `address:port` of everything that haproxy binds. */
  listeners: Record<string, string[]>;
  /** Per server, the command that logs in. */
  ssh: Record<string, string>;
}

export interface ServerDescription {
  id: string;
  role: string;
  datacenter: string;
  internal: string;
  external?: { ipv4: string; ipv6?: string };
  ipv6Subnet?: string;
}

export function describe(plan: Plan): Description {
  const servers = [...plan.loadBalancers, ...plan.databases, ...plan.appServers].sort((a, b) =>
    a.hostname < b.hostname ? -1 : 1,
  );
  return {
    vips: Object.fromEntries(plan.vips.map(({ name, ipv4, ipv6 }) => [name, defined({ ipv4, ipv6 })])),
    urls: urls(plan),
    servers: Object.fromEntries(servers.map((server) => [server.hostname, describeServer(server)])),
    listeners: Object.fromEntries(
      plan.loadBalancers.map((node) => [
        node.hostname,
        [...node.haproxy.frontends.flatMap((frontend) => frontend.binds), node.haproxy.metrics].map(endpoint),
      ]),
    ),
    ssh: Object.fromEntries(servers.map((server) => [server.hostname, sshCommand(plan, server)])),
  };
}

function urls(plan: Plan): string[] {
  const frontends = plan.loadBalancers[0]?.haproxy.frontends ?? [];
  return frontends.flatMap(({ scheme, binds }) => {
    if (scheme === undefined) return [];
    const standard = scheme === "http" ? 80 : 443;
    return binds.map(({ address, port }) => `${scheme}://${host(address)}${port === standard ? "" : `:${port}`}/`);
  });
}

function describeServer(server: Server & { external?: { ipv4: string; ipv6?: string } }): ServerDescription {
  const { id, role, datacenter, internal, external, ipv6Subnet } = server;
  return defined({ id, role, datacenter, internal, external, ipv6Subnet });
}

function sshCommand(plan: Plan, server: Server & Pick<LoadBalancer, "host">): string {
  if (server.host) {
    const { login, jump } = server.host;
    return ["ssh", ...(jump ? ["-J", `${jump.user}@${host(jump.host)}:${jump.port}`] : []), destination(login)].join(
      " ",
    );
  }
  const balancer = plan.loadBalancers.find((node) => node.datacenter === server.datacenter);
  if (!balancer) throw new Error(`datacenter ${server.datacenter} has no load balancer`);
  return balancer.id === server.id
    ? `ssh ${plan.sshUser}@${balancer.external.ipv4}`
    : `ssh -J ${plan.sshUser}@${balancer.external.ipv4} ${plan.sshUser}@${server.internal}`;
}

/** As ssh(1) takes it, with an option where the port is not SSH's own. */
function destination({ user, host: name, port }: Login): string {
  return `${port === 22 ? "" : `-p ${port} `}${user}@${name}`;
}

/** `address:port`, with the brackets of RFC 3986 where IPv6 needs them. */
function endpoint({ address, port }: { address: string; port: number }): string {
  return `${host(address)}:${port}`;
}

function host(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
