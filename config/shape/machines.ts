import { z } from "zod";
import { fields, port, secret, text, yesNo } from "./fields";

/** How SSH gets in: the same for a host and for the jump host on the way to it. */
const login = {
  user: text("the name of a user with sudo", "ubuntu"),
  port: port(22).default(22),
  hostKey: text("the public host key, one line", '"ssh-ed25519 AAAA…"'),
};

const jump = z
  .strictObject({ host: text("the jump host's address or name", "203.0.113.9"), ...login })
  .register(fields, {
    what: "a map that describes the jump host",
    example: '{ host: 203.0.113.9, user: ops, hostKey: "ssh-ed25519 AAAA…" }',
  });

const host = z
  .strictObject({
    hostname: text("the host's name", "lb1"),
    release: text("the name of an operating system's release", "ubuntu-16.04").default("debian-12"),
    external: z
      .strictObject({
        ipv4: text("the host's own IPv4 address", "203.0.113.11"),
        ipv6: text("the host's own IPv6 address", '"2001:db8:45:b::1"').optional(),
      })
      .register(fields, { what: "a map with the host's own external addresses", example: "{ ipv4: 203.0.113.11 }" }),
    internal: text("the host's own address on the internal network", "198.51.100.11"),
    address: text("the address that SSH reaches the host at", "198.51.100.11").optional(),
    ...login,
    jump: jump.optional(),
  })
  .register(fields, {
    what: "a map that describes the host",
    example:
      '{ hostname: lb1, external: { ipv4: 203.0.113.11 }, internal: 198.51.100.11, user: ubuntu, hostKey: "ssh-ed25519 AAAA…" }',
  });

/** Where the machines come from, and, of those that exist already, who they are. */
export const machines = z
  .strictObject({
    source: text("where the machines come from", "existing").default("openstack"),
    privateKey: secret("the private key for SSH, as a secret,", "{ secure: … }").optional(),
    configureIpv6: yesNo().default(true),
    loadBalancers: z
      .record(z.string(), host)
      .register(fields, {
        what: "a map with one host per datacenter",
        example: "{ dc1: { hostname: lb1, … }, dc2: { … }, dc3: { … } }",
      })
      .optional(),
  })
  .register(fields, {
    what: "a map that says where the machines come from",
    example: "{ source: openstack }",
    hidden: true,
  })
  .prefault({});
