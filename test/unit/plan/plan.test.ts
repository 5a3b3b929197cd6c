import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkPlan } from "../../../plan/lint/check";
import { describe as describePlan } from "../../../plan/describe";
import { plan } from "../../../plan/plan";
import { dualStack, elaborate, ipv4Only, specOf } from "../../support/specs";

describe("plan", () => {
  test("the same spec gives the same plan, byte for byte, whatever the order of its keys", () => {
    const raw = dualStack();
    const reversed = Object.fromEntries(Object.entries(raw).reverse());
    assert.equal(JSON.stringify(plan(specOf(reversed))), JSON.stringify(plan(specOf(raw))));
  });

  test("one load balancer and one database server per datacenter, in its zone", () => {
    const planned = plan(specOf(elaborate()));
    for (const nodes of [planned.loadBalancers, planned.databases]) {
      assert.deepEqual(nodes.map((node) => `${node.datacenter} ${node.availabilityZone}`).sort(), [
        "ams ams-1",
        "rtm rtm-1",
      ]);
    }
  });

  test("load balancers are changed lowest priority first", () => {
    const priorities = plan(specOf(dualStack())).loadBalancers.map((node) => node.basePriority);
    assert.deepEqual(priorities, [100, 114, 128]);
  });

  test("the first database server founds the cluster, and no other", () => {
    assert.deepEqual(
      plan(specOf(dualStack())).databases.map((node) => node.founder),
      [true, false, false],
    );
  });

  test("the ports' pairs are exactly the VIPs outside, and the gateway's inside", () => {
    for (const node of plan(specOf(dualStack())).loadBalancers) {
      assert.deepEqual(node.externalPairs, ["203.0.113.100", "2001:db8:45:67bb::1"]);
      assert.deepEqual(node.internalPairs, ["198.51.100.1", "0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"]);
    }
  });

  test("before the rollout nothing anywhere is IPv6", () => {
    assert.doesNotMatch(JSON.stringify(describePlan(plan(specOf(ipv4Only())))), /2001:|ipv6/);
  });
});

describe("VRRP", () => {
  const [node] = plan(specOf(elaborate())).loadBalancers.slice(-1);

  test("both families and the gateway are one sync group", () => {
    assert.deepEqual(
      node!.syncGroup.instances.map((each) => each.name),
      ["EXTERN", "EXTERN6", "INTERN"],
    );
  });

  test("the primary VIP alone is in the advert, the others are excluded", () => {
    const [extern, extern6] = node!.syncGroup.instances;
    assert.equal(extern!.virtualAddress.address, "203.0.113.100");
    assert.deepEqual(
      extern!.excludedAddresses.map((each) => each.address),
      ["203.0.113.101", "203.0.113.102"],
    );
    assert.equal(extern6!.virtualAddress.address, "2001:db8:45:67bb::1");
  });

  test("a password only where the version has one", () => {
    assert.deepEqual(
      node!.syncGroup.instances.map((each) => [each.version, each.authentication]),
      [
        [2, true],
        [3, false],
        [3, false],
      ],
    );
    const fraction = plan(specOf(dualStack())).loadBalancers[0]!.syncGroup.instances;
    assert.deepEqual(
      fraction.map((each) => [each.name, each.version, each.authentication]),
      [
        ["EXTERN", 3, false],
        ["EXTERN6", 3, false],
        ["INTERN", 3, false],
      ],
    );
  });

  test("some instance of a group hears the master in the middle of a rollout, whatever its timers", () => {
    for (const raw of [dualStack(), ipv4Only(), elaborate(), ipv4Only({ vrrp: { advertInterval: 2 } })]) {
      for (const { syncGroup } of plan(specOf(raw)).loadBalancers) {
        assert.ok(syncGroup.instances.some(({ version, authentication }) => version === 3 && !authentication));
      }
    }
  });

  test("a healthy backup outranks a failing or demoted master, and no backup outranks a healthy master", () => {
    const balancers = plan(specOf(dualStack())).loadBalancers;
    const weight = Object.fromEntries(balancers[0]!.syncGroup.scripts.map((each) => [each.name, each.weight]));
    const highest = Math.max(...balancers.map((each) => each.basePriority));
    const lowest = Math.min(...balancers.map((each) => each.basePriority));
    assert.ok(lowest + weight.master! > highest);
    assert.ok(highest + weight.master! + weight.haproxy! < lowest);
    assert.ok(highest + weight.master! + weight.network! < lowest);
    assert.ok(highest + weight.master! + weight.maintenance! < lowest);
  });
});

describe("firewall", () => {
  const { flows, cloudFlows } = plan(specOf(elaborate())).firewall;

  test("VRRP comes from load balancers alone, in both families", () => {
    for (const flow of [...flows["lb-external"], ...flows["lb-internal"]].filter((each) => each.protocol === "vrrp")) {
      assert.equal(flow.from.length, 2, `${flow.family} VRRP from ${flow.from.join(" ")}`);
    }
    assert.deepEqual(
      flows["lb-external"].filter((each) => each.protocol === "vrrp").map((each) => each.family),
      ["ipv4", "ipv6"],
    );
  });

  test("a port is open in the families of the VIPs that serve it", () => {
    const open = (family: string): (number | undefined)[] =>
      flows["lb-external"]
        .filter((each) => each.family === family && each.from.length === 0 && each.protocol === "tcp")
        .map((each) => each.port);
    assert.deepEqual(open("ipv4"), [80, 443, 5672, 8443]);
    assert.deepEqual(open("ipv6"), [80, 443, 5672, 8443]);
  });

  test("SSH is open to those whom the stack names", () => {
    const ssh = flows["lb-external"].filter((each) => each.port === 22);
    assert.deepEqual(
      ssh.map((each) => [each.family, each.from]),
      [
        ["ipv4", ["198.51.100.0/24"]],
        ["ipv6", ["2001:db8:ffff::/48"]],
      ],
    );
  });

  test("databases and applications take nothing from outside", () => {
    for (const flow of [...flows.database, ...flows.app]) assert.ok(flow.from.length > 0, JSON.stringify(flow));
  });

  test("the cloud lets through what the gateway passes on", () => {
    assert.deepEqual(
      cloudFlows["lb-internal"].map((each) => [each.protocol, each.from]),
      [["any", ["192.0.2.0/25"]]],
    );
  });
});

describe("what only the plan can see", () => {
  const paths = (changes: Record<string, unknown>): string[] => {
    const spec = specOf(dualStack(changes));
    return checkPlan(spec, plan(spec), new Date("2026-12-01")).map((problem) => problem.path);
  };

  test("a good stack has no problem", () => assert.deepEqual(paths({}), []));

  test("the internal VIP on a server's address", () => {
    assert.deepEqual(paths({ internal: { cidr: "198.51.100.0/24", vip: "198.51.100.31" } }), ["internal.vip"]);
  });

  test("the gateway on a load balancer's address", () => {
    const external = dualStack().external as object;
    assert.deepEqual(paths({ external: { ...external, ipv4: { cidr: "203.0.113.0/24", gateway: "203.0.113.12" } } }), [
      "external.ipv4.gateway",
    ]);
  });

  test("VIPs on the load balancers' own addresses and in their own /64", () => {
    const external = dualStack().external as object;
    const wide = { ...external, vipRanges: ["203.0.113.0/27", "2001:db8:45:b::/64", "2001:db8:45:c::/64"] };
    const vips = {
      own: { ipv4: "203.0.113.11", ipv6: "2001:db8:45:b::1", primary: true },
      near: { ipv4: "203.0.113.20", ipv6: "2001:db8:45:c::99" },
    };
    assert.deepEqual(paths({ external: wide, vips }), ["vips.own.ipv4", "vips.own.ipv6", "vips.near.ipv6"]);
  });

  test("more application servers than the internal network has room for", () => {
    const internal = { cidr: "198.51.100.0/25", vip: "198.51.100.1" };
    const group = { perDatacenter: 20 };
    assert.deepEqual(paths({ internal, appServers: { app: group, other: group } }), ["internal.cidr"]);
  });
});
