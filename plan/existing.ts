import { formatNetwork, parseNetwork } from "../config/ip";
import type { ExistingHost, ExistingMachines, Spec } from "../config/spec";
import type { BackendServer, LoadBalancer } from "./servers";
import { basePriority } from "./vrrp";

/** Load balancers that somebody else built, with the addresses they have; by the slots of their datacenters. */
export function existingBalancers(spec: Spec, machines: ExistingMachines): LoadBalancer[] {
  const hosts = new Map(machines.hosts.map((host) => [host.datacenter, host]));
  return spec.datacenters.map(({ name, availabilityZone, slot }) => {
    const host = hosts.get(name)!;
    return {
      id: `lb-${host.datacenter}`,
      hostname: host.hostname,
      role: "load-balancer",
      datacenter: host.datacenter,
      availabilityZone,
      internal: host.internal,
      internalInterface: spec.interfaces.internal,
      externalInterface: spec.interfaces.external,
      external: host.external,
      basePriority: basePriority(slot),
      release: host.release,
      host,
      configureIpv6: machines.configureIpv6,
      ...ownSubnet(host),
    };
  });
}

function ownSubnet({ external: { ipv6 } }: ExistingHost): { ipv6Subnet?: string } {
  return ipv6 === undefined ? {} : { ipv6Subnet: formatNetwork(parseNetwork(`${ipv6}/64`)!) };
}

/** Servers behind them that somebody else runs, called after their group. */
export function existingBackends(spec: Spec): BackendServer[] {
  return spec.appServers.flatMap(({ name, serversNamed, port, addresses }) =>
    addresses.map((internal, index) => ({ group: name, hostname: `${serversNamed}-${index + 1}`, internal, port })),
  );
}
