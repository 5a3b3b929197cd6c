import type { CloudSession } from "./cloud";

export interface Rule {
  id: string;
  security_group_id: string;
  direction: string;
  ethertype: string;
  protocol: string | null;
  port_range_min: number | null;
  port_range_max: number | null;
  remote_ip_prefix: string | null;
  remote_group_id: string | null;
}

export interface Port {
  id: string;
  name: string;
  /** Id of the server that has it; empty for none. */
  device_id: string;
  network_id: string;
  fixed_ips: { ip_address: string }[];
}

/** What a port may send from. */
export interface PortAddresses {
  fixed_ips: { subnet_id: string; ip_address: string }[];
  allowed_address_pairs: { ip_address: string; mac_address?: string }[];
}

export interface Subnet {
  id: string;
  cidr: string;
}

/** How many ids a question names; a URL of some 8 KB is what servers take. */
const AT_ONCE = 100;

/**
 * The little of Neutron that Pulumi can't see, or doesn't tell: rules of our security groups that it did not make, as a
 * refresh only looks at resources of the state; what took the place of a port that is gone; and what a port has in the
 * middle of a run, which the state never says.
 */
export class Neutron {
  constructor(private readonly session: CloudSession) {}

  async rules(groups: Iterable<string>): Promise<Rule[]> {
    const answers = await this.ask<{ security_group_rules: Rule[] }>(
      "security-group-rules",
      "security_group_id",
      groups,
    );
    return answers.flatMap((each) => each.security_group_rules);
  }

  async deleteRule(id: string): Promise<void> {
    await this.session.call("network", `v2.0/security-group-rules/${encodeURIComponent(id)}`, "DELETE");
  }

  /** Those with one of these ids, all that these servers have, and all with one of these addresses, in any network. */
  async ports(ids: Iterable<string>, servers: Iterable<string>, addresses: Iterable<string>): Promise<Port[]> {
    const answers = await Promise.all([
      this.ask<{ ports: Port[] }>("ports", "id", ids),
      this.ask<{ ports: Port[] }>("ports", "device_id", servers),
      this.ask<{ ports: Port[] }>(
        "ports",
        "fixed_ips",
        Array.from(addresses, (each) => `ip_address=${each}`),
      ),
    ]);
    const ports = answers.flat().flatMap((each) => each.ports);
    return [...new Map(ports.map((each) => [each.id, each])).values()];
  }

  async port(id: string): Promise<PortAddresses & { network_id: string }> {
    const { port } = await this.session.read<{ port: PortAddresses & { network_id: string } }>(
      "network",
      `v2.0/ports/${encodeURIComponent(id)}`,
    );
    return port;
  }

  async changePort(id: string, port: PortAddresses): Promise<void> {
    await this.session.call("network", `v2.0/ports/${encodeURIComponent(id)}`, "PUT", { body: { port } });
  }

  async subnets(networkId: string): Promise<Subnet[]> {
    const query = `network_id=${encodeURIComponent(networkId)}`;
    return (await this.session.read<{ subnets: Subnet[] }>("network", `v2.0/subnets?${query}`)).subnets;
  }

  private ask<T>(path: string, key: string, values: Iterable<string>): Promise<T[]> {
    const all = [...values];
    const chunks = Array.from({ length: Math.ceil(all.length / AT_ONCE) }, (_, index) =>
      all.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
    );
    return Promise.all(
      chunks.map((chunk) => {
        const query = chunk.map((value) => `${key}=${encodeURIComponent(value)}`).join("&");
        return this.session.read<T>("network", `v2.0/${path}?${query}`);
      }),
    );
  }
}
