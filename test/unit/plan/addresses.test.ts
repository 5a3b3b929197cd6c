import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { contains, parseIp, parseNetwork } from "../../../config/ip";
import { checkPlan } from "../../../plan/lint/check";
import { type Plan, plan } from "../../../plan/plan";
import type { Server } from "../../../plan/servers";
import { dualStack, specOf } from "../../support/specs";

function everyServer(planned: Plan): Server[] {
  return [...planned.loadBalancers, ...planned.databases, ...planned.appServers];
}

describe("addresses that the provider gave", () => {
  const given = (loadBalancers: string[], firstSubnet: string, changes = {}): Plan => {
    const { ipv4, ipv6, vipRanges } = dualStack().external as { ipv4: object; ipv6: object; vipRanges: string[] };
    return plan(
      specOf(
        dualStack({
          external: { ipv4: { ...ipv4, loadBalancers }, ipv6: { ...ipv6, firstSubnet }, vipRanges },
          ...changes,
        }),
      ),
    );
  };

  test("are what the defaults would be, if they are: nobody has to write them", () => {
    const written = given(["203.0.113.11-203.0.113.13"], "2001:db8:45:b::/64");
    const { external } = plan(specOf(dualStack()));
    assert.deepEqual({ ...written, external }, plan(specOf(dualStack())));
  });

  test("go by the slots, in the order in which they are written, each range from its first", () => {
    const spans = fc.shuffledSubarray(
      ["203.0.113.20", "203.0.113.30-203.0.113.31", "203.0.113.40/31", "203.0.113.50-203.0.113.59"],
      { minLength: 3 },
    );
    const slots = fc.shuffledSubarray([1, 2, 3], { minLength: 3 });
    fc.assert(
      fc.property(spans, slots, fc.integer({ min: 1, max: 0x600 }), (list, [dc1, dc2, dc3], first) => {
        const datacenters = { dc1: { slot: dc1 }, dc2: { slot: dc2 }, dc3: { slot: dc3 } };
        const planned = given(list, `2001:db8:45:${first.toString(16)}::/64`, { datacenters });
        const all = list.flatMap((span) => {
          const [from, to = from] = span
            .replace("/31", `-203.0.113.41`)
            .split("-")
            .map((each) => Number(each.split(".")[3]));
          return Array.from({ length: to! - from! + 1 }, (_, index) => `203.0.113.${from! + index}`);
        });
        for (const { datacenter, external, ipv6Subnet } of planned.loadBalancers) {
          const slot = datacenters[datacenter as "dc1"].slot!;
          assert.equal(external.ipv4, all[slot - 1]);
          assert.equal(external.ipv6, `2001:db8:45:${(first + slot - 1).toString(16)}::1`);
          assert.equal(ipv6Subnet, `2001:db8:45:${(first + slot - 1).toString(16)}::/64`);
        }
        for (const { datacenter, ipv6Subnet } of planned.databases) {
          const slot = datacenters[datacenter as "dc1"].slot!;
          assert.equal(ipv6Subnet, `2001:db8:45:${(first + 10 + slot - 1).toString(16)}::/64`);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("have room for every server", () => {
    const { ipv4, vipRanges } = dualStack().external as { ipv4: object; vipRanges: string[] };
    const ipv6 = { prefix: "2001:db8:45:6700::/56", gateway: "2001:db8:45:6700::1" };
    const problems = (firstSubnet: string) => {
      const spec = specOf(dualStack({ external: { ipv4, ipv6: { ...ipv6, firstSubnet }, vipRanges } }));
      return checkPlan(spec, plan(spec), new Date("2026-11-27"));
    };
    // The last of nine is the application server in slot 3: number 33 of 11.
    assert.deepEqual(problems("2001:db8:45:67e9::/64"), []);
    const [problem, ...others] = problems("2001:db8:45:67ea::/64");
    assert.deepEqual(others, []);
    assert.equal(problem!.path, "external.ipv6.firstSubnet");
    assert.match(
      problem!.cause,
      /^leaves 2001:db8:45:6700::\/56 no \/64 for 1 of the servers: app-dc3-1 would have 2001:db8:45:6800::\/64$/,
    );
  });
});

describe("addresses", () => {
  const counts = fc.record({
    dc1: fc.integer({ min: 1, max: 20 }),
    dc2: fc.integer({ min: 1, max: 20 }),
    dc3: fc.integer({ min: 1, max: 20 }),
  });
  const withCounts = (app: object, worker: object): Plan =>
    plan(specOf(dualStack({ appServers: { app: { perDatacenter: app }, worker: { perDatacenter: worker } } })));

  test("no two servers share an address or a /64, and all lie in their networks", () => {
    const internal = parseNetwork("198.51.100.0/24")!;
    fc.assert(
      fc.property(counts, counts, (app, worker) => {
        const servers = everyServer(withCounts(app, worker));
        assert.equal(new Set(servers.map((node) => node.internal)).size, servers.length);
        assert.equal(new Set(servers.map((node) => node.ipv6Subnet)).size, servers.length);
        for (const node of servers) assert.ok(contains(internal, parseIp(node.internal)!), node.internal);
      }),
    );
  });

  test("a further application server moves no other, up to ten per datacenter", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), (count) => {
        const one = { dc1: 1, dc2: 1, dc3: 1 };
        const before = everyServer(withCounts({ ...one, dc1: count }, one));
        const after = new Map(
          everyServer(withCounts({ ...one, dc1: count + 1 }, one)).map((node) => [node.id, node.internal]),
        );
        for (const node of before) assert.equal(after.get(node.id), node.internal);
      }),
    );
  });

  test("a third datacenter moves no server of the first two", () => {
    const risk = { acceptedBy: "J. Doe", on: "2026-11-22" };
    const two = everyServer(plan(specOf(dualStack({ datacenters: { dc1: {}, dc2: {} }, quorumRisk: risk }))));
    const three = new Map(everyServer(plan(specOf(dualStack()))).map((node) => [node.id, node.internal]));
    for (const node of two) assert.equal(three.get(node.id), node.internal);
  });
});
