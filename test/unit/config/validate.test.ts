import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Encrypted } from "../../../config/encrypted";
import { validate } from "../../../config/validate";
import { goodStack } from "./fixtures/bad-stacks";
import { existing } from "../../support/specs";
import { pathsOf, shortest, specOf } from "./fixtures/stacks";

test("everything left out has a default", () => {
  const small = { dc1: "m1.small", dc2: "m1.small", dc3: "m1.small" };
  assert.deepEqual(specOf(shortest()), {
    customer: "dev",
    clusterName: "dev",
    machines: { source: "openstack" },
    datacenters: ["dc1", "dc2", "dc3"].map((name) => ({ name, availabilityZone: name, slot: Number(name.at(-1)) })),
    external: {
      network: "external",
      ipv4: { cidr: "203.0.113.0/24", gateway: "203.0.113.1" },
      reserveVips: true,
      vipRanges: ["203.0.113.96/28"],
    },
    internal: { cidr: "198.51.100.0/24", builtAs: "198.51.100.0/24", vip: "198.51.100.1" },
    vips: [{ name: "www", primary: true, advertised: true, ipv4: "203.0.113.100" }],
    services: [
      { name: "web", kind: "http", vips: ["www"], servers: "app", http: 80, redirect: false, healthCheck: "/healthz" },
    ],
    certificates: [],
    loadBalancers: { flavor: small, image: "debian-12", packages: {} },
    appServers: [
      {
        name: "app",
        serversNamed: "app",
        runtime: "python",
        port: 8080,
        count: { dc1: 1, dc2: 1, dc3: 1 },
        slots: [1],
        flavor: small,
        image: "debian-12",
        addresses: [],
      },
    ],
    database: { engine: "galera", port: 3306, flavor: small, image: "debian-12" },
    vrrp: {
      advertInterval: 0.3,
      routerIds: { ipv4: 51, ipv6: 52, internal: 53 },
      version: 3,
      authentication: false,
      transport: "unicast",
    },
    ssh: { user: "debian", allowedFrom: ["0.0.0.0/0", "::/0"] },
    interfaces: { external: "eth0", internal: "eth1", server: "eth0" },
    mayReplace: [],
    mayDelete: [],
    mayDestroy: false,
    nameservers: [],
  });
});

test("adverts go out every second where VRRPv2 is asked for, which knows no fractions", () => {
  for (const vrrp of [{ version: 2 }, { password: new Encrypted() }]) {
    assert.deepEqual(specOf({ ...shortest(), vrrp }).vrrp, {
      advertInterval: 1,
      routerIds: { ipv4: 51, ipv6: 52, internal: 53 },
      version: 2,
      authentication: true,
      transport: "unicast",
    });
  }
  assert.equal(specOf(existing()).vrrp.advertInterval, 1);
});

test("validate leaves its input alone", () => {
  const raw = shortest();
  validate(raw, "dev");
  assert.deepEqual(raw, shortest());
});

describe("canonical form", () => {
  test("addresses and networks are normalised", () => {
    const spec = specOf({
      ...shortest(),
      external: {
        ipv4: { cidr: "203.0.113.0/24", gateway: "203.0.113.1" },
        ipv6: { prefix: "2001:0DB8:0045::/48", gateway: "2001:DB8:45:0:0:0:0:1" },
        vipRanges: ["2001:DB8:45:67BB::/64", "203.0.113.100", "203.0.113.96/28", "203.0.113.100/32"],
      },
      vips: { www: { ipv4: "203.0.113.100", ipv6: "2001:DB8:45:67BB:0:0:0:01" } },
    });
    assert.deepEqual(spec.external.ipv6, { prefix: "2001:db8:45::/48", gateway: "2001:db8:45::1" });
    assert.deepEqual(spec.external.vipRanges, ["203.0.113.96/28", "203.0.113.100/32", "2001:db8:45:67bb::/64"]);
    assert.equal(spec.vips[0]!.ipv6, "2001:db8:45:67bb::1");
  });

  test("what has no order is sorted, the primary VIP first", () => {
    const spec = specOf({
      ...shortest(),
      datacenters: { ghi: {}, abc: {}, def: {} },
      vips: { b: { ipv4: "203.0.113.98" }, z: { ipv4: "203.0.113.97", primary: true }, a: { ipv4: "203.0.113.99" } },
      services: { web: { http: 80, vips: ["z", "a", "z"] }, api: { tcp: 9000 } },
    });
    assert.deepEqual(
      spec.datacenters.map(({ name }) => name),
      ["abc", "def", "ghi"],
    );
    assert.deepEqual(
      spec.vips.map(({ name }) => name),
      ["z", "a", "b"],
    );
    assert.deepEqual(
      spec.services.map(({ name, vips }) => [name, vips]),
      [
        ["api", ["a", "b", "z"]],
        ["web", ["a", "z"]],
      ],
    );
  });

  test("a value per datacenter is completed, or taken as written", () => {
    const spec = specOf({
      ...shortest(),
      appServers: { app: { perDatacenter: { dc3: 3, dc1: 1, dc2: 2 }, flavor: "big" } },
    });
    assert.deepEqual(spec.appServers[0]!.count, { dc1: 1, dc2: 2, dc3: 3 });
    assert.deepEqual(spec.appServers[0]!.flavor, { dc1: "big", dc2: "big", dc3: "big" });
  });

  test("a service may name one VIP without a list", () => {
    assert.deepEqual(specOf({ ...shortest(), services: { web: { http: 80, vips: "www" } } }).services[0]!.vips, [
      "www",
    ]);
  });
});

describe("two datacenters", () => {
  const two = (quorumRisk: unknown) => ({ ...shortest(), datacenters: { dc1: {}, dc2: {} }, quorumRisk });

  test("are taken with the customer's acceptance", () => {
    const risk = { acceptedBy: "J. Doe, Acme BV", on: "2026-11-22" };
    assert.deepEqual(specOf(two(risk)).quorumRisk, risk);
  });

  test("a date without quotes arrives from the engine as a moment", () => {
    const risk = { acceptedBy: "J. Doe, Acme BV", on: "2026-11-22 00:00:00 +0000 UTC" };
    assert.equal(specOf(two(risk)).quorumRisk!.on, "2026-11-22");
  });

  for (const on of ["2026-02-30", "2026-13-01", "22/11/2026", "yesterday", "2026-11-22T10:00:00Z"]) {
    test(`${on} is no date`, () => assert.deepEqual(pathsOf(two({ acceptedBy: "J. Doe", on })), ["quorumRisk.on"]));
  }
});

describe("the customer's name", () => {
  test("is the stack's unless given", () => {
    assert.equal(specOf(shortest(), "acme").customer, "acme");
    assert.equal(specOf({ ...shortest(), customer: "acme" }, "My_Stack").customer, "acme");
  });
  test("must be given if the stack's does not do", () => {
    const { problems } = validate(shortest(), "My_Stack");
    assert.deepEqual(
      problems.map(({ path }) => path),
      ["customer"],
    );
    assert.match(problems[0]!.cause, /"My_Stack" can't take its place/);
  });
  test("that is given but broken is not replaced by the stack's", () => {
    assert.deepEqual(pathsOf({ ...shortest(), customer: ["acme"] }, "My_Stack"), ["customer"]);
  });
  test("makes host names too long", () => {
    const raw = {
      ...shortest(),
      datacenters: { "datacenter-east": {}, b: {}, c: {} },
      appServers: { "application-one": {} },
    };
    assert.deepEqual(pathsOf({ ...raw, customer: "a".repeat(31) }), ["appServers.application-one"]);
    assert.deepEqual(pathsOf({ ...raw, customer: "a".repeat(29) }), []);
  });
});

describe("shape", () => {
  test("every missing key is named, with what belongs there", () => {
    assert.deepEqual(pathsOf({}), [
      "appServers",
      "datacenters",
      "external",
      "internal",
      "rootSecret",
      "services",
      "vips",
    ]);
  });
  test("no message is one of the schema library's", () => {
    const wrong = [null, "", "x", 1, true, [], [[]], { x: 1 }, new Encrypted()];
    const fields = [...Object.keys(goodStack()), "quorumRisk"];
    const nested = (value: unknown) => ({
      ...goodStack(),
      services: { web: { http: value, vips: value, certificate: value, redirect: value } },
    });
    const stacks = wrong.flatMap((value) => [
      ...fields.map((key) => ({ ...goodStack(), [key]: value })),
      nested(value),
    ]);
    for (const { cause, mend } of stacks.flatMap((raw) => validate(raw, "dev").problems)) {
      assert.doesNotMatch(`${cause} ${mend}`, /Invalid|expected|received|undefined|\[object|NaN|Unrecognized/);
    }
  });
  test("a line break in a text is refused", () => {
    assert.deepEqual(pathsOf({ ...shortest(), image: "debian\n12", database: { flavor: "a\u2028b" } }), [
      "database.flavor",
      "image",
    ]);
  });
  test("an encrypted value is refused where none belongs", () => {
    const { problems } = validate({ ...shortest(), image: new Encrypted() }, "dev");
    assert.deepEqual(
      problems.map(({ path }) => path),
      ["image"],
    );
    assert.match(problems[0]!.mend, /it is no secret: set it again without --secret/);
  });
  test("`__proto__` is a name like any other, and no good one", () => {
    const raw = {
      ...shortest(),
      vips: JSON.parse('{"www": {"ipv4": "203.0.113.100"}, "__proto__": {"ipv4": "203.0.113.101"}}') as unknown,
    };
    assert.deepEqual(pathsOf(raw), ["vips.__proto__"]);
  });
  test("a misspelt key is one problem, not also a missing one", () => {
    const { rootSecret, ...rest } = shortest();
    assert.deepEqual(pathsOf({ ...rest, rootSecert: rootSecret }), ["rootSecert"]);
  });
});
