import { validate } from "../../config/validate";
import { formatProblems } from "../../config/problems";
import type { Spec } from "../../config/spec";
import { Encrypted } from "../../config/encrypted";

/** What a stack file says, as plain data. */
export type Raw = Record<string, unknown>;

export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBpTCCAUugAwIBAgIUbpXz21QomL6XraJZ6bqqTsEL0LMwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPd3d3LmV4YW1wbGUuY29tMB4XDTI2MTEyMjE5MjE0MVoXDTQ2
MTExNzE5MjE0MVowGjEYMBYGA1UEAwwPd3d3LmV4YW1wbGUuY29tMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEVQLI60zLgvc3jq/UaceJiIDYMHz9eKZbgbiqzYZS
TV7k0KA2OXYy1grDD2NIbUTAm8YSPyad7SiYrACmOHhepqNvMG0wHQYDVR0OBBYE
FEE93CpiHCORbnZk/7xdn8eMqGkRMB8GA1UdIwQYMBaAFEE93CpiHCORbnZk/7xd
n8eMqGkRMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIPd3d3LmV4YW1wbGUu
Y29tMAoGCCqGSM49BAMCA0gAMEUCIQDCaZ0uVrlJH0W5fiOngESH35N9V1hXNu/W
mRySvnEX3QIgRHBXt7KVzV/8fe/3P+uZjnMxH2j3M33yYRO67vCByik=
-----END CERTIFICATE-----
`;

/** The cluster of the seed: three datacenters, one VIP in both families. */
export function dualStack(changes: Raw = {}): Raw {
  return {
    datacenters: { dc1: {}, dc2: {}, dc3: {} },
    external: {
      ipv4: { cidr: "203.0.113.0/24", gateway: "203.0.113.1" },
      ipv6: { prefix: "2001:db8:45::/48", gateway: "2001:db8:45::1" },
      vipRanges: ["203.0.113.96/28", "2001:db8:45:67bb::/64"],
    },
    internal: { cidr: "198.51.100.0/24", vip: "198.51.100.1" },
    vips: { www: { ipv4: "203.0.113.100", ipv6: "2001:db8:45:67bb::1" } },
    services: { web: { http: 80, https: 443, certificate: "www", servers: "app", healthCheck: "/healthz" } },
    certificates: { www: { certificate: CERTIFICATE, privateKey: new Encrypted() } },
    appServers: { app: { runtime: "python", perDatacenter: 1 } },
    database: { engine: "galera" },
    rootSecret: new Encrypted(),
    ...changes,
  };
}

/** The same before the IPv6 rollout. */
export function ipv4Only(changes: Raw = {}): Raw {
  return dualStack({
    external: { ipv4: { cidr: "203.0.113.0/24", gateway: "203.0.113.1" }, vipRanges: ["203.0.113.96/28"] },
    vips: { www: { ipv4: "203.0.113.100" } },
    ...changes,
  });
}

/** The dual-stack cluster on hosts that somebody else built, with the VRRP settings of the article. */
export function existing(release = "debian-12", changes: Raw = {}): Raw {
  const host = (number: number): object => ({
    hostname: `lb${number}`,
    release,
    external: { ipv4: `203.0.113.1${number}`, ipv6: `2001:db8:45:67a${number}::1` },
    internal: `198.51.100.1${number}`,
    user: "ops",
    hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
  });
  const made = dualStack();
  delete made.database;
  return {
    ...made,
    machines: {
      source: "existing",
      privateKey: new Encrypted(),
      loadBalancers: { dc1: host(1), dc2: host(2), dc3: host(3) },
    },
    appServers: { app: { addresses: ["198.51.100.31", "198.51.100.32"] } },
    vrrp: { routerIds: { ipv4: 12, ipv6: 14, internal: 13 }, transport: "multicast" },
    ...changes,
  };
}

/** Everything at once that a stack file can ask for. */
export function elaborate(): Raw {
  return dualStack({
    customer: "acme",
    datacenters: { ams: { availabilityZone: "ams-1" }, rtm: { availabilityZone: "rtm-1" } },
    quorumRisk: { acceptedBy: "J. Doe, Acme BV", on: "2026-11-22" },
    vips: {
      www: { ipv4: "203.0.113.100", ipv6: "2001:db8:45:67bb::1", primary: true },
      api: { ipv4: "203.0.113.101", ipv6: "2001:db8:45:67bb::2" },
      legacy: { ipv4: "203.0.113.102" },
    },
    services: {
      web: { vips: ["www", "legacy"], http: 80, https: 443, certificate: "www", servers: "app", redirect: true },
      api: { vips: ["api"], http: 80, https: 8443, certificate: "www", servers: "backend", redirect: true },
      queue: { vips: ["api"], tcp: 5672, servers: "backend" },
    },
    appServers: {
      app: { perDatacenter: { ams: 2, rtm: 1 } },
      backend: { port: 9000, perDatacenter: 1, flavor: { ams: "m1.medium", rtm: "m1.small" } },
    },
    vrrp: { advertInterval: 1 },
    ssh: { user: "ubuntu", allowedFrom: ["198.51.100.0/24", "2001:db8:ffff::/48"] },
    internal: { cidr: "192.0.2.0/25", vip: "192.0.2.1" },
    interfaces: { external: "ens3", internal: "ens4", server: "ens3" },
    nameservers: ["203.0.113.53"],
  });
}

/** As much as it can be asked on hosts that somebody else built. */
export function existingElaborate(release: string): Raw {
  const { vips, services } = elaborate();
  const appServers = { app: { addresses: ["198.51.100.31"] }, backend: { port: 9000, addresses: ["198.51.100.32"] } };
  return existing(release, { vips, services, appServers, vrrp: { advertInterval: 0.3 } });
}

export function specOf(raw: Raw, stack = "dev"): Spec {
  const { spec, problems } = validate(raw, stack);
  if (!spec) throw new Error(formatProblems(problems, "test"));
  return spec;
}
