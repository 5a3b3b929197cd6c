import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Finding } from "../../../verify/finding";
import type { Deployed } from "../../../verify/gather/deployed";
import type { FileFacts } from "../../../verify/gather/facts";
import { COMMAND, INSTANCE, machineOf, nameOf, PORT, type Resource } from "../../../verify/gather/state";
import { judge, type Seen } from "../../../verify/verify";
import { asJson, asTable } from "../../../verify/report";
import { deployed, healthy, NOW, state } from "./fixtures/cluster";

const APP = "dev-app-dc1-1";
const DATABASE = "dev-db-dc2";

const without = (drop: (resource: Resource) => boolean): Resource[] => state().filter((each) => !drop(each));
const named = (resource: Resource, type: string, id: string): boolean =>
  resource.type === type && machineOf(resource) === id;

/** Changes the outputs of the stack itself. */
function outputs(change: (servers: Record<string, unknown>, all: Record<string, unknown>) => void): Resource[] {
  const resources = state();
  const all = resources[0]!.outputs!;
  change(all.servers as Record<string, unknown>, all);
  return resources;
}

function found(all: Deployed, change: (seen: Seen) => void = () => undefined): Finding[] {
  const seen = healthy(all);
  change(seen);
  return judge(all, seen, NOW);
}

function brief(findings: readonly Finding[]): unknown[] {
  return findings.map(({ where, what, found: said, mend }) => [where, what, said, mend]);
}

describe("a server that is not complete", () => {
  test("made, and never pushed to", () => {
    const all = deployed(without((each) => named(each, COMMAND, "app-dc1-1")));
    assert.deepEqual(brief(found(all)), [[APP, "push", "made, but never pushed to", "pulumi up"]]);
    assert.equal(all.machines.length, 9);
  });

  test("made anew, and not pushed to since: the old one's Commands are still there", () => {
    const resources = state();
    resources.find((each) => named(each, INSTANCE, "app-dc1-1"))!.id = "another";
    assert.deepEqual(brief(found(deployed(resources))), [[APP, "push", "made, but never pushed to", "pulumi up"]]);
  });

  test("pushed to half-way: only what it got is judged", () => {
    const all = deployed(without((each) => nameOf(each.urn) === "app-dc1-1-config"));
    const findings = found(all, (seen) => {
      const { facts } = seen.looks.find(({ machine }) => machine.name === APP)!;
      facts.units.clear();
      facts.addresses.clear();
    });
    assert.deepEqual(brief(findings), [[APP, "config", "never finished", "pulumi up"]]);
  });

  test("never made, but among the outputs of the `up` that failed", () => {
    const all = deployed(
      outputs((servers) => (servers["dev-app-dc9-1"] = { id: "app-dc9-1", role: "app-server", datacenter: "dc9" })),
    );
    assert.deepEqual(brief(found(all)), [["dev-app-dc9-1", "server", "not made", "pulumi up"]]);
  });

  test("only its port was made", () => {
    const kept = (each: Resource): boolean => each.type === PORT;
    const all = deployed(without((each) => machineOf(each) === "db-dc2" && !kept(each)));
    const findings = found(all, (seen) => {
      for (const { facts } of seen.looks) if (facts.galera.size > 0) facts.galera.set("wsrep_cluster_size", "2");
    });
    assert.deepEqual(brief(findings), [[DATABASE, "server", "not made, only its ports", "pulumi up"]]);
  });

  test("gone from the state, and still there", () => {
    const [finding, ...more] = found(deployed(without((each) => named(each, INSTANCE, "db-dc2"))));
    assert.deepEqual([finding?.where, finding?.what, finding?.found], [DATABASE, "server", "not there"]);
    assert.match(finding!.mend, /A database server is lost/);
    assert.deepEqual(more, []);
  });

  test("in ERROR, with the cloud's own words, and the command that mends it", () => {
    const error = (seen: Seen): unknown =>
      (seen.servers = (seen.servers as { id: string; status: string }[]).map((each) =>
        each.id === "server-app-dc1-1" ? { ...each, status: "ERROR", fault: { message: "No valid host" } } : each,
      ));
    const never = deployed(without((each) => named(each, COMMAND, "app-dc1-1")));
    assert.deepEqual(brief(found(never, error)), [
      [APP, "server", "in ERROR: No valid host", "mend the cause, then pulumi up --replace '**:Instance::app-dc1-1'"],
    ]);
    const [pushed] = found(deployed(), error);
    assert.match(pushed!.mend, /^openstack server reboot --hard dev-app-dc1-1; if that fails, pulumi up --replace/);
  });

  test("no outputs at all: all is judged but the URLs", () => {
    const all = deployed(without((each) => each.type === "pulumi:pulumi:Stack"));
    assert.deepEqual(
      all.machines.map(({ name }) => name),
      deployed().machines.map(({ name }) => name),
    );
    const findings = found(all);
    assert.deepEqual(brief(findings), [
      ["stack", "URLs", "none: the first pulumi up was killed before it wrote them", "pulumi up"],
    ]);
    assert.equal(findings[0]!.severity, "unknown");
  });

  test("a server that the outputs no longer name is looked at all the same, by the way it was pushed to", () => {
    const all = deployed(
      outputs((servers, { ssh }) => {
        Reflect.deleteProperty(servers, APP);
        Reflect.deleteProperty(ssh as object, APP);
      }),
    );
    assert.deepEqual(found(all), []);
    assert.deepEqual(
      all.machines.map(({ name }) => name),
      deployed().machines.map(({ name }) => name),
    );
    assert.deepEqual(all.reach, deployed().reach);
    assert.equal(all.reach.ssh[APP], "ssh -J debian@203.0.113.11 debian@198.51.100.31");
  });

  test("addresses of a plan that failed are not those by which the machine is reached", () => {
    const all = deployed(
      outputs((_, { ssh }) => ((ssh as Record<string, string>)["dev-lb-dc1"] = "ssh debian@203.0.113.9")),
    );
    assert.equal(all.reach.ssh["dev-lb-dc1"], "ssh debian@203.0.113.11");
  });
});

describe("one finding for one cause", () => {
  function wipe(seen: Seen, name: string): void {
    const { facts } = seen.looks.find(({ machine }) => machine.name === name)!;
    // An image has files of its own.
    const own: FileFacts = { state: "present", mode: "755", owner: "root:root", changed: 0, same: false, text: "" };
    for (const path of facts.files.keys()) {
      facts.files.set(path, path === "/etc/nftables.conf" ? own : { state: "absent" });
    }
    facts.scripts = [];
    for (const unit of facts.units.values()) Object.assign(unit, { loaded: false, active: "inactive", enabled: "" });
    facts.addresses.clear();
    facts.routes.clear();
    facts.galera.clear();
    facts.packages.clear();
    facts.marks.clear();
    facts.sysctls.clear();
    facts.listeners = [];
  }

  for (const name of ["dev-lb-dc2", APP, DATABASE]) {
    test(`an empty disk of ${name}`, () => {
      const all = deployed();
      const findings = found(all, (seen) => {
        wipe(seen, name);
        for (const { facts } of seen.looks) {
          for (const backend of facts.backends) if (backend.server === name) backend.status = "DOWN";
          if (name === DATABASE && facts.galera.size > 0) facts.galera.set("wsrep_cluster_size", "2");
        }
      });
      assert.equal(findings.length, 1, JSON.stringify(findings));
      assert.deepEqual([findings[0]!.where, findings[0]!.what, findings[0]!.severity], [name, "disk", "drift"]);
      assert.match(findings[0]!.found, /empty disk: nothing that was pushed is there/);
      assert.deepEqual(findings[0]!.repair, { kind: "push-all" });
    });
  }

  for (const { left, same } of [
    { left: "/opt/ha-cluster/ask.sh", same: false },
    { left: "/etc/nftables.conf", same: true },
  ]) {
    test(`a disk is not empty on which ${left} is left`, () => {
      const findings = found(deployed(), (seen) => {
        wipe(seen, APP);
        const { files } = seen.looks.find(({ machine }) => machine.name === APP)!.facts;
        files.set(left, { state: "present", mode: "755", owner: "root:root", changed: 0, same });
      });
      assert.ok(findings.length > 5);
      assert.ok(!findings.some(({ what }) => what === "disk"));
    });
  }

  test("a jump host that is away makes nobody behind it drift", () => {
    const all = deployed();
    const findings = found(all, (seen) => {
      const away = ["dev-lb-dc1", APP];
      seen.looks = seen.looks.filter(({ machine }) => !away.includes(machine.name));
      seen.unreached = [
        { name: "dev-lb-dc1", reason: "timed out" },
        { name: APP, reason: "timed out", jump: "dev-lb-dc1" },
      ];
    });
    assert.deepEqual(
      findings.map(({ where, severity }) => [where, severity]),
      [
        [APP, "unknown"],
        ["dev-lb-dc1", "drift"],
      ],
    );
    assert.match(findings[0]!.found, /its jump host dev-lb-dc1 is away/);
  });

  test("nor does it explain that a database is missing from its cluster", () => {
    const findings = found(deployed(), (seen) => {
      const away = ["dev-lb-dc2", DATABASE];
      seen.looks = seen.looks.filter(({ machine }) => !away.includes(machine.name));
      seen.unreached = [
        { name: "dev-lb-dc2", reason: "timed out" },
        { name: DATABASE, reason: "timed out", jump: "dev-lb-dc2" },
      ];
      for (const { facts } of seen.looks) if (facts.galera.size > 0) facts.galera.set("wsrep_cluster_size", "2");
    });
    assert.deepEqual(
      findings.filter(({ check }) => check === "galera").map(({ where, found: said }) => [where, said]),
      [
        ["dev-db-dc1", "2"],
        ["dev-db-dc3", "2"],
      ],
    );
  });

  test("a cloud that can't be asked", () => {
    const error = new Error("no route to it");
    const findings = found(deployed(), (seen) => Object.assign(seen, { rules: error, servers: error, ports: error }));
    assert.deepEqual(
      findings.map(({ what, severity }) => [what, severity]),
      [["rules made by hand, servers, ports", "unknown"]],
    );
  });
});

test("whatever is missing in a state, nothing is thrown, and every machine that is incomplete has a finding", () => {
  const resources = state();
  const parts = resources.flatMap((each, index) => ([INSTANCE, COMMAND, PORT].includes(each.type) ? [index] : []));
  const names = Object.keys(resources[0]!.outputs!.servers as object);
  fc.assert(
    fc.property(fc.subarray(parts), fc.subarray(names), fc.boolean(), (gone, unnamed, silent) => {
      const left = state().filter((_, index) => !gone.includes(index));
      const root = left[0]!.outputs! as { servers?: Record<string, unknown>; ssh: Record<string, unknown> };
      for (const name of unnamed) {
        Reflect.deleteProperty(root.servers!, name);
        Reflect.deleteProperty(root.ssh, name);
      }
      if (silent) delete left[0]!.outputs;
      const all = deployed(left);
      const findings = found(all);
      const verdict = { deployed: all, seen: healthy(all), findings };
      asTable("dev", verdict, 1);
      asJson("dev", verdict);
      const where = new Set(findings.map((each) => each.where));
      for (const index of gone) {
        const id = machineOf(resources[index]!);
        const known = left.some((each) => [INSTANCE, COMMAND, PORT].includes(each.type) && machineOf(each) === id);
        const planned = !silent && !unnamed.includes(`dev-${id}`);
        if (!known && !planned) continue;
        assert.ok(where.has(`dev-${id}`) || where.has(id), `${id} without ${resources[index]!.urn}`);
      }
    }),
    { numRuns: 150 },
  );
});
