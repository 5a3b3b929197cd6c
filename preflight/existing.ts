import type { ExistingMachines, Secrets, Spec } from "../config/spec";
import type { Outputs } from "../operate/fleet";
import { describe } from "../plan/describe";
import type { Plan } from "../plan/plan";
import type { Expected } from "./expected";

/** What preflight asks of hosts that exist. */
export function expectedOf(spec: Spec, machines: ExistingMachines, plan: Plan): Expected {
  const addresses = (family: "ipv4" | "ipv6"): string[] =>
    spec.vips.map((vip) => vip[family]).filter((address) => address !== undefined);
  const vips = { ipv4: addresses("ipv4"), ipv6: addresses("ipv6"), internal: spec.internal.vip };
  const { ipv4, ipv6, internal } = spec.vrrp.routerIds;
  return {
    hosts: machines.hosts.map((host) => ({
      name: host.hostname,
      external: host.external,
      internal: host.internal,
      interfaces: spec.interfaces,
      release: host.release,
    })),
    vips,
    routerIds: [ipv4, ...(vips.ipv6.length > 0 ? [ipv6] : []), internal],
    binds: plan.loadBalancers[0]?.haproxy.frontends.flatMap((frontend) => frontend.binds) ?? [],
    backends: spec.appServers.flatMap(({ addresses: servers, port }) => servers.map((address) => ({ address, port }))),
  };
}

/** How to reach them before any push, in the same terms as the outputs say it after one. */
export function reachOf(machines: ExistingMachines, plan: Plan, secrets: Secrets): Outputs {
  const logins = machines.hosts.flatMap(({ login, jump }) => (jump ? [login, jump] : [login]));
  return {
    ...describe(plan),
    sshPrivateKey: secrets.sshPrivateKey ?? "",
    sshKnownHosts: [...new Set(logins.map(({ host, port, hostKey }) => `${known(host, port)} ${hostKey}`))],
  };
}

/** sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. */
function known(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}
