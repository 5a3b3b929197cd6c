import { z } from "zod";
import { MOST_DATACENTERS } from "../spec";
import { block, fields, perDatacenter, port, secret, text, wholeNumber, yesNo } from "./fields";
import { machines } from "./machines";

/*
 * The shape of a stack file: keys, types, ranges of numbers and fixed defaults. Whatever needs two keys, or the meaning of a
 * text, is in checks/. Defaults that depend on other keys are in build.ts.
 */

/** More than the largest internal network has room for. */
const MOST_SLOTS = 2200;

const flavor = () => perDatacenter(text("a flavor's name", "m1.small"), "a flavor's name", "m1.small");
const image = () => text("the name of an image", "debian-12");

const datacenters = z
  .record(
    z.string(),
    z
      .strictObject({
        availabilityZone: text("the name of an availability zone", "ams-1").optional(),
        slot: wholeNumber("a slot", 1, MOST_DATACENTERS, 1).optional(),
      })
      .register(fields, {
        what: "a map that describes the datacenter",
        example: "{ availabilityZone: ams-1 }",
      }),
  )
  .register(fields, { what: "a map of three datacenters by name", example: "{ dc1: {}, dc2: {}, dc3: {} }" });

const quorumRisk = z
  .strictObject({
    acceptedBy: text("the person who accepted the risk for the customer", '"J. Doe, Acme BV"'),
    on: text("the date of the acceptance", "2026-11-22"),
  })
  .register(fields, {
    what: "the acceptance of the quorum risk",
    example: '{ acceptedBy: "J. Doe, Acme BV", on: 2026-11-22 }',
  });

const external = z
  .strictObject({
    network: text("the name of the provider's network", "external").default("external"),
    ipv4: z
      .strictObject({
        cidr: text("an IPv4 network", "203.0.113.0/24"),
        gateway: text("the IPv4 address of the provider's gateway", "203.0.113.1"),
        loadBalancers: z
          .array(text("an IPv4 address, or a range of them", "203.0.113.11-203.0.113.13"))
          .register(fields, { what: "a list of IPv4 addresses or ranges", example: "[203.0.113.11-203.0.113.13]" })
          .optional(),
        former: text("an IPv4 network", "192.0.2.0/24").optional(),
      })
      .register(fields, {
        what: "the external IPv4 network",
        example: "{ cidr: 203.0.113.0/24, gateway: 203.0.113.1 }",
      }),
    ipv6: z
      .strictObject({
        prefix: text("an IPv6 prefix", '"2001:db8:45::/48"'),
        gateway: text("the IPv6 address of the provider's gateway", '"2001:db8:45::1"'),
        firstSubnet: text("a /64", '"2001:db8:45:b::/64"').optional(),
        former: text("an IPv6 prefix", '"2001:db8:44::/48"').optional(),
      })
      .register(fields, {
        what: "the external IPv6 prefix",
        example: '{ prefix: "2001:db8:45::/48", gateway: "2001:db8:45::1" }',
      })
      .optional(),
    reserveVips: yesNo().default(true),
    vipRanges: z
      .array(text("a range of addresses", "203.0.113.96/28"))
      .register(fields, { what: "a list of the ranges that VIPs may be taken from", example: "[203.0.113.96/28]" }),
  })
  .register(fields, {
    what: "the external network",
    example: "{ ipv4: { cidr: 203.0.113.0/24, gateway: 203.0.113.1 }, vipRanges: [203.0.113.96/28] }",
  });

const internal = z
  .strictObject({
    cidr: text("an IPv4 network", "198.51.100.0/24"),
    vip: text("an IPv4 address of the internal network", "198.51.100.1"),
    builtAs: text("the IPv4 network that it was built as", "198.51.100.0/25").optional(),
  })
  .register(fields, { what: "the internal network", example: "{ cidr: 198.51.100.0/24, vip: 198.51.100.1 }" });

const vips = z
  .record(
    z.string(),
    z
      .strictObject({
        ipv4: text("an IPv4 address", "203.0.113.100").optional(),
        ipv6: text("an IPv6 address", '"2001:db8:45:67bb::1"').optional(),
        primary: yesNo().optional(),
        advertised: yesNo().optional(),
      })
      .register(fields, { what: "a map with the VIP's addresses", example: "{ ipv4: 203.0.113.100 }" }),
  )
  .register(fields, { what: "a map of VIPs by name", example: "{ www: { ipv4: 203.0.113.100 } }" });

const services = z
  .record(
    z.string(),
    z
      .strictObject({
        vips: z
          .union([text("the name of a VIP", "www"), z.array(text("the name of a VIP", "www"))])
          .register(fields, { what: "the name of a VIP, or a list of such names,", example: "[www]" })
          .optional(),
        http: port(80).optional(),
        https: port(443).optional(),
        tcp: port(5672).optional(),
        certificate: text("the name of a certificate", "www").optional(),
        servers: text("the name of a group under `appServers`", "app").optional(),
        healthCheck: text("the path of the health check", "/healthz").optional(),
        redirect: yesNo().optional(),
      })
      .register(fields, { what: "a map that describes the service", example: "{ http: 80, servers: app }" }),
  )
  .register(fields, { what: "a map of services by name", example: "{ web: { http: 80, servers: app } }" });

const certificates = z
  .record(
    z.string(),
    z
      .strictObject({
        certificate: block("a certificate in PEM form", "`|` and the PEM text, indented, on the lines below"),
        privateKey: secret("the certificate's private key, as a secret,", "{ secure: … }"),
      })
      .register(fields, {
        what: "a map with `certificate` and `privateKey`",
        example: "{ certificate: …, privateKey: { secure: … } }",
        hidden: true,
      }),
  )
  .register(fields, {
    what: "a map of certificates by name",
    example: "{ www: { certificate: …, privateKey: { secure: … } } }",
    hidden: true,
  })
  .default({});

const loadBalancers = z
  .strictObject({
    flavor: flavor().default("m1.small"),
    image: image().optional(),
    packages: z
      .strictObject({
        haproxy: text("the version of a Debian package", "2.6.12-1+deb12u3").optional(),
        keepalived: text("the version of a Debian package", '"1:2.2.7-1+b2"').optional(),
      })
      .register(fields, { what: "a map of package versions", example: "{ haproxy: 2.6.12-1+deb12u3 }" })
      .prefault({}),
  })
  .register(fields, { what: "a map with the load balancers' flavor", example: "{ flavor: m1.small }" })
  .prefault({});

const appServers = z
  .record(
    z.string(),
    z
      .strictObject({
        runtime: text("the name of a runtime", "python").default("python"),
        port: port(8080).default(8080),
        perDatacenter: perDatacenter(wholeNumber("a number of servers", 1, 20, 1), "a number of servers", "1").default(
          1,
        ),
        flavor: flavor().default("m1.small"),
        image: image().optional(),
        slots: z
          .array(wholeNumber("a slot", 1, MOST_SLOTS, 1))
          .register(fields, { what: "a list of slots", example: "[1]" })
          .optional(),
        serversNamed: text("the name that the group's servers have", "app").optional(),
        addresses: z
          .array(text("an IPv4 address", "198.51.100.31"))
          .register(fields, { what: "a list of IPv4 addresses", example: "[198.51.100.31, 198.51.100.32]" })
          .optional(),
      })
      .register(fields, { what: "a map that describes the group", example: "{ perDatacenter: 1 }" }),
  )
  .register(fields, {
    what: "a map of groups of application servers by name",
    example: "{ app: { perDatacenter: 1 } }",
  });

const database = z
  .strictObject({
    engine: text("the name of a database engine", "galera").default("galera"),
    port: port(3306).default(3306),
    flavor: flavor().default("m1.small"),
    image: image().optional(),
  })
  .register(fields, { what: "a map that describes the database", example: "{ engine: galera }" })
  .prefault({});

const routerId = (example: number) => wholeNumber("a virtual router id", 1, 255, example).optional();

const vrrp = z
  .strictObject({
    advertInterval: z.number().register(fields, { what: "a number of seconds", example: "0.3" }).optional(),
    firstRouterId: wholeNumber("a virtual router id", 1, 253, 51).default(51),
    routerIds: z
      .strictObject({ ipv4: routerId(51), ipv6: routerId(52), internal: routerId(53) })
      .register(fields, { what: "a map of virtual router ids", example: "{ ipv4: 51, ipv6: 52, internal: 53 }" })
      .prefault({}),
    version: wholeNumber("a VRRP version", 2, 3, 2).optional(),
    authentication: yesNo().default(true),
    password: secret("the VRRP password, as a secret,", "{ secure: … }").optional(),
    transport: text("how adverts travel", "unicast").default("unicast"),
  })
  .register(fields, { what: "a map of VRRP settings", example: "{ advertInterval: 0.3 }", hidden: true })
  .prefault({});

const ssh = z
  .strictObject({
    user: text("the name of the image's user", "debian").default("debian"),
    allowedFrom: z
      .array(text("a network", "203.0.113.0/24"))
      .register(fields, { what: "a list of networks", example: '[0.0.0.0/0, "::/0"]' })
      .default(["0.0.0.0/0", "::/0"]),
  })
  .register(fields, { what: "a map of SSH settings", example: "{ user: debian }" })
  .prefault({});

const networkInterface = (example: string) => text("the name of a network interface", example).default(example);

const interfaces = z
  .strictObject({
    external: networkInterface("eth0"),
    internal: networkInterface("eth1"),
    server: networkInterface("eth0"),
  })
  .register(fields, {
    what: "a map of network interfaces",
    example: "{ external: eth0, internal: eth1, server: eth0 }",
  })
  .prefault({});

export const stackFile = z
  .strictObject({
    customer: text("the customer's name", "acme").optional(),
    clusterName: text("the cluster's first name", "acme").optional(),
    machines,
    datacenters,
    quorumRisk: quorumRisk.optional(),
    external,
    internal,
    vips,
    services,
    certificates,
    loadBalancers,
    appServers,
    database,
    vrrp,
    ssh,
    interfaces,
    image: image().default("debian-12"),
    nameservers: z
      .array(text("an IPv4 address", "203.0.113.53"))
      .register(fields, { what: "a list of IPv4 addresses", example: "[203.0.113.53]" })
      .default([]),
    mayDelete: z
      .array(text("the id of a server", "db-dc3"))
      .register(fields, { what: "a list of servers that may be deleted", example: "[db-dc3]" })
      .default([]),
    mayReplace: z
      .array(text("the id of a server", "lb-dc1"))
      .register(fields, { what: "a list of servers that may be made anew", example: "[lb-dc1]" })
      .default([]),
    mayDestroy: text("the cluster's name", "acme").optional(),
    rootSecret: secret("the stack's root secret", "{ secure: … }"),
  })
  .register(fields, { what: "a map of settings", example: "datacenters: …" });

/** A stack file whose shape is right, with the fixed defaults. */
export type StackFile = z.output<typeof stackFile>;
