import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Finding, LAST_RUN } from "../../../verify/finding";
import type { Port } from "../../../verify/gather/neutron";
import { type Deployed } from "../../../verify/gather/deployed";
import { PORT, type Resource } from "../../../verify/gather/state";
import { planRepairs, refusal } from "../../../verify/repair";
import { judge, type Seen } from "../../../verify/verify";
import { deployed, healthy, NOW, state } from "./fixtures/cluster";

const APP = "dev-app-dc1-1";
const ALL = deployed();

/** As the cloud is when somebody deleted ports; with those that he made instead. */
function without(ids: readonly string[], instead: readonly Partial<Port>[] = [], all: Deployed = ALL): Finding[] {
  return judge(all, seenWithout(ids, instead, all), NOW);
}

function seenWithout(ids: readonly string[], instead: readonly Partial<Port>[] = [], all: Deployed = ALL): Seen {
  const seen = healthy(all);
  const made = instead.map((each) => ({ name: "", device_id: "", network_id: "", fixed_ips: [], ...each }) as Port);
  seen.ports = [...(seen.ports as Port[]).filter(({ id }) => !ids.includes(id)), ...made];
  const cut = all.machines.filter(({ ports }) => ports.some(({ id }) => ids.includes(id)));
  const away = cut.filter(({ role }) => role !== "load-balancer").map(({ name }) => name);
  seen.looks = seen.looks.filter(({ machine }) => !away.includes(machine.name));
  seen.unreached = away.map((name) => ({ name, reason: "timed out" }));
  for (const { facts } of seen.looks) {
    for (const backend of facts.backends) if (away.some((name) => backend.server === name)) backend.status = "DOWN";
    if (away.some((name) => name.includes("-db-")) && facts.galera.size > 0)
      facts.galera.set("wsrep_cluster_size", "2");
  }
  seen.drift = cut.flatMap(({ ports, server }) => [
    ...ports.filter(({ id }) => ids.includes(id)).map(({ urn }) => ({ op: "delete", urn: urn! })),
    { op: "update", urn: server!.urn, diffReasons: ["networks"] },
  ]);
  return seen;
}

const brief = (findings: readonly Finding[]): unknown[] =>
  findings.map(({ where, what, found, repair }) => [where, what, found, repair]);

describe("a port that is gone", () => {
  for (const [id, port] of [
    ["app-dc1-1", "internal"],
    ["db-dc2", "internal"],
    ["lb-dc2", "internal"],
    ["lb-dc2", "external"],
  ] as const) {
    test(`the ${port} one of ${id} is one finding, and the server keeps its disk`, () => {
      const seen = seenWithout([`port-${id}-${port}`]);
      // A load balancer is still reached, and nearly everything on it is wrong.
      for (const { machine, facts } of seen.looks) if (machine.id === id) facts.addresses.clear();
      const findings = judge(ALL, seen, NOW);
      assert.deepEqual(brief(findings), [
        [`dev-${id}`, `port dev-${id}-${port}`, "gone", { kind: "attach", anew: true }],
      ]);
      assert.match(
        findings[0]!.mend,
        /--repair: dev-\S+ gets it back, and is stopped and started for that; its disk stays/,
      );
    });
  }

  for (const [what, forget] of [
    ["it", (networks: object[]) => networks],
    ["it, and that its server was made with it", () => []],
  ] as const) {
    test(`is no change of the stack file where a refresh has forgotten ${what}`, () => {
      const urn = state().find((each) => each.id === "port-lb-dc1-external")!.urn;
      const all = deployed(
        state()
          .filter((each) => each.urn !== urn)
          .map((each) => {
            if (each.id !== "server-lb-dc1") return each;
            return { ...each, inputs: { ...each.inputs, networks: forget(each.inputs!.networks as object[]) } };
          }),
      );
      const seen = seenWithout(["port-lb-dc1-external", ""], [], all);
      seen.drift = [];
      seen.ahead = [{ op: "create", urn }];
      const forgotten = ["dev-lb-dc1", "port dev-lb-dc1-external", "gone", { kind: "attach", anew: true }];
      assert.deepEqual(brief(judge(all, seen, NOW)), [forgotten]);
      seen.ahead = [{ op: "create", urn: urn.replace("lb-dc1", "lb-dc9") }];
      assert.equal(judge(all, seen, NOW).at(-1)!.check, "stack");
    });
  }

  test("is brought back only to one that has something to keep", () => {
    const unfinished = deployed(state().filter(({ urn }) => !urn.endsWith("::app-dc1-1-config")));
    const findings = without(["port-app-dc1-1-internal"], [], unfinished);
    const [finding] = findings.filter(({ what }) => what.startsWith("port "));
    assert.deepEqual([finding!.mend, finding!.repair], ["pulumi up --refresh", { kind: "refresh" }]);
  });

  test("is not brought back to databases while nobody knows whose data goes on", () => {
    const findings = without(["port-db-dc1-internal", "port-db-dc2-internal", "port-db-dc3-internal"]);
    const ports = findings.filter(({ what }) => what.startsWith("port "));
    assert.equal(ports.length, 3);
    for (const { repair, mend } of ports) {
      assert.equal(repair, undefined);
      assert.match(mend, /no database can be asked: docs\/recover\.md/);
    }
  });
});

describe("a port that somebody made instead", () => {
  for (const [kind, instead, way] of [
    [
      "at the server",
      { device_id: "server-app-dc1-1", network_id: "network-internal" },
      /^openstack server remove port dev-app-dc1-1 new; openstack port delete new; npm run verify -- --repair brings back/,
    ],
    [
      "with its address, at no server",
      { network_id: "network-internal", fixed_ips: [{ ip_address: "198.51.100.31" }] },
      /^openstack port delete new; npm run verify -- --repair brings back the one that was$/,
    ],
  ] as [string, Partial<Port>, RegExp][]) {
    test(`${kind} is named, and never replaces anything`, () => {
      const findings = without(["port-app-dc1-1-internal"], [{ id: "new", ...instead }]);
      const [finding] = findings.filter(({ what }) => what === `port ${APP}-internal`);
      assert.match(finding!.found, /^another one is in its place \(new\)$/);
      assert.match(finding!.mend, way);
      assert.deepEqual(planRepairs([finding!], ALL), { rules: [], marked: [], attach: [] });
    });
  }

  for (const [what, other] of [
    ["with the same address", { fixed_ips: [{ ip_address: "198.51.100.31" }] }],
    ["at the server", { device_id: "server-app-dc1-1" }],
  ] as [string, Partial<Port>][]) {
    test(`${what}, in another network, is none of ours`, () => {
      assert.deepEqual(
        without(["port-app-dc1-1-internal"], [{ id: "new", network_id: "another", ...other }]).map(
          ({ found, repair }) => [found, repair?.kind],
        ),
        [["gone", "attach"]],
      );
    });
  }
});

test("a port that is at no server is given back, one that another has is not", () => {
  const findings = (device: string): Finding[] => {
    const seen = healthy(ALL);
    for (const port of seen.ports as Port[]) if (port.id === "port-lb-dc3-internal") port.device_id = device;
    return judge(ALL, seen, NOW);
  };
  assert.deepEqual(brief(findings("")), [
    ["dev-lb-dc3", "port dev-lb-dc3-internal", "at no server", { kind: "attach", anew: false }],
  ]);
  const [other] = findings("server-x");
  assert.deepEqual(
    [other!.repair, other!.mend],
    [undefined, "openstack server add port dev-lb-dc3 port-lb-dc3-internal, once it is free"],
  );
});

test("after it was made anew, a port is what the state has, whatever the server was made with", () => {
  const anew = state().map((each): Resource =>
    each.id === "port-db-dc2-internal" ? { ...each, id: "new", type: PORT } : each,
  );
  const all = deployed(anew);
  assert.deepEqual(
    all.machines.find(({ id }) => id === "db-dc2")!.ports.map(({ id }) => id),
    ["new"],
  );
  assert.deepEqual(judge(all, healthy(all), NOW), []);
});

test("ports go first, load balancers' before the others', and pushes wait until they are back", () => {
  const attach = (where: string, anew: boolean): Finding => ({ where, repair: { kind: "attach", anew } }) as Finding;
  const push = { where: "dev-lb-dc1", repair: { kind: "push", part: "config" } } as Finding;
  assert.deepEqual(
    planRepairs([attach(APP, true), attach("dev-db-dc2", false), attach("dev-lb-dc2", false), push], ALL),
    {
      rules: [],
      marked: [],
      attach: ["dev-lb-dc2", "dev-db-dc2", APP],
      up: ["--refresh"],
    },
  );
  assert.equal(planRepairs([attach(APP, false), push], ALL).up, undefined);
});

test("while a run has more to do, only ports are made: its pushes would fail on those that are cut off", () => {
  const attach = (where: string, anew: boolean): Finding => ({ where, repair: { kind: "attach", anew } }) as Finding;
  const cut = { check: "stack", what: LAST_RUN, severity: "warning" } as Finding;
  const urnOf = (port: string): string => state().find(({ urn }) => urn.endsWith(`::${port}`))!.urn;
  const [urn, urns] = [urnOf("app-dc1-1-internal"), ["external", "internal"].map((port) => urnOf(`lb-dc1-${port}`))];
  const found = [attach(APP, true), attach("dev-db-dc2", false), attach("dev-lb-dc1", true), cut];
  const all = urns.flatMap((each) => ["--target", each]);
  const first = planRepairs(found, ALL);
  assert.deepEqual(new Set(first.up), new Set(["--refresh", "--target", urn, ...all]));
  assert.deepEqual(first.attach, ["dev-lb-dc1", "dev-db-dc2", APP]);
  // Who waits for others does until those have theirs: a refresh takes no target that the state has forgotten.
  const forgotten = deployed(state().filter((each) => each.urn !== urn));
  assert.deepEqual(planRepairs(found, forgotten), {
    ...{ rules: [], marked: [], attach: ["dev-db-dc2", APP] },
    up: ["--target", urn],
  });
  assert.deepEqual(planRepairs([attach(APP, false), cut], ALL), { rules: [], marked: [], attach: [APP] });
  const ahead = { ...cut, what: "stack file and program" };
  assert.deepEqual(planRepairs([...found.slice(0, 3), ahead], ALL), first);
  for (const stack of [cut, ahead]) assert.equal(refusal([attach(APP, true), stack]), undefined);
  assert.match(refusal([attach(APP, true), { ...ahead, severity: "unknown" }])!, /can't be seen/);
  assert.match(refusal([ahead])!, /moved on/);
});
