import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deployed, type Resource } from "../../../change/deployed";
import { standingOf } from "../../../change/standing";
import { NOTHING_STANDS } from "../../../config/places";
import { type Case, found, RISK, withoutPort } from "../../support/changes";
import { plan } from "../../../plan/plan";
import { dualStack, type Raw, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

function allows(title: string, changed: Case): void {
  test(title, () => assert.deepEqual(found(changed), []));
}

describe("what a stack file may say of a cluster that runs", () => {
  allows("the same", { now: dualStack() });
  allows("a group that sorts first", { now: dualStack({ appServers: { api: {}, app: {} } }) });
  allows("two router ids at once", { now: dualStack({ vrrp: { routerIds: { ipv4: 61, ipv6: 62, internal: 53 } } }) });
  for (const port of ["lb-dc1-external", "lb-dc1-internal", "db-dc1-internal", "app-dc1-1-internal"])
    allows(`the same, where the port ${port} is gone`, { now: dualStack(), state: withoutPort(port) });
  allows("another port of a group", { now: dualStack({ appServers: { app: { port: 9000 } } }) });
  allows("another flavor", { now: dualStack({ loadBalancers: { flavor: "m1.medium" } }) });
  allows("another name of the stack", { now: dualStack(), stack: "prod" });
  allows("another customer, with the first name noted", { now: dualStack({ customer: "acme", clusterName: "dev" }) });
  allows("a third datacenter, which sorts first", {
    before: dualStack({ datacenters: { dc1: {}, dc2: {} }, quorumRisk: RISK }),
    now: dualStack({ datacenters: { ams: {}, dc1: {}, dc2: {} } }),
  });
  allows("the first datacenter less, and said so", {
    now: dualStack({ datacenters: { dc2: {}, dc3: {} }, quorumRisk: RISK, mayDelete: ["db-dc1"] }),
  });
  allows("a new group and the service that uses it, beside those that were there", {
    now: dualStack({
      appServers: { app: {}, api: {} },
      services: { web: { http: 80, servers: "app" }, queue: { tcp: 5000, servers: "api" } },
    }),
  });
  allows("a group under another name, with the first one noted", {
    now: dualStack({ appServers: { web: { serversNamed: "app" } }, services: { web: { http: 80, servers: "web" } } }),
  });
  for (const [what, changes] of [
    ["another port of the database", { database: { port: 3307 } }],
    ["another internal VIP", { internal: { cidr: "198.51.100.0/24", vip: "198.51.100.2" } }],
    ["all router ids at once", { vrrp: { routerIds: { ipv4: 61, ipv6: 62, internal: 63 } } }],
  ] as const)
    allows(what, { now: dualStack(changes) });
  allows("another primary VIP", {
    before: dualStack({ vips: twoVips("www") }),
    now: dualStack({ vips: twoVips("api") }),
  });
  allows("IPv6 that comes", {
    before: dualStack({ ...withoutIpv6() }),
    now: dualStack(),
  });
  allows("a larger internal network with the same first address", {
    now: dualStack({ internal: { cidr: "198.51.100.0/23", vip: "198.51.100.1" } }),
  });
  allows("one that begins lower", {
    before: dualStack({ internal: { cidr: "198.51.100.128/25", vip: "198.51.100.129" } }),
    now: dualStack({ internal: { cidr: "198.51.96.0/20", vip: "198.51.100.129" } }),
  });
  allows("the smaller one again, while nobody is in what goes", {
    before: dualStack({ internal: { cidr: "198.51.100.0/23", builtAs: "198.51.100.0/24", vip: "198.51.100.1" } }),
    now: dualStack(),
  });
  allows("anything before the first build", { now: dualStack({ customer: "other" }), state: () => [] });
  allows("another database port, while no application knows one", {
    now: dualStack({ database: { port: 3307 } }),
    state: (all) => all.filter(({ urn }) => !urn.includes("app-")),
  });
});

function twoVips(primary: string): Raw {
  return {
    www: { ipv4: "203.0.113.100", ...(primary === "www" && { primary: true }) },
    api: { ipv4: "203.0.113.101", ...(primary === "api" && { primary: true }) },
  };
}

function withoutIpv6(): Raw {
  return {
    external: { ipv4: { cidr: "203.0.113.0/24", gateway: "203.0.113.1" }, vipRanges: ["203.0.113.96/28"] },
    vips: { www: { ipv4: "203.0.113.100" } },
  };
}

test("a server that was never pushed to may go anywhere: it serves nobody", () => {
  const nothing = (all: Resource[]): Resource[] => all.filter(({ type }) => type !== "command:remote:Command");
  assert.deepEqual(found({ now: dualStack({ appServers: { app: { slots: [2] } } }), state: nothing }), []);
});

test("a server whose port is gone stands where it did, also the only one of its datacenter and group", () => {
  const before = dualStack({ appServers: { api: { perDatacenter: 1 }, app: {} } });
  const built = stateOf(plan(specOf(before)));
  const whole = deployed(built);
  const cut = deployed(built.filter(({ type }) => type !== "openstack:networking/port:Port"));
  assert.deepEqual(standingOf(cut), standingOf(whole));
  assert.deepEqual(
    cut.servers.map(({ addresses }) => addresses),
    whole.servers.map(({ addresses }) => addresses),
  );
  assert.deepEqual(
    cut.servers.map(({ role, lostPorts }) => [role, lostPorts]),
    cut.servers.map(({ role }) => [role, role === "load-balancer" ? ["external", "internal"] : ["internal"]]),
  );
});

test("nothing stands before the first build", () => {
  assert.deepEqual(standingOf(deployed([])), NOTHING_STANDS);
});
