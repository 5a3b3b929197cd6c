import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Finding } from "../../../verify/finding";
import { machineOf, objection } from "../../../verify/replace";
import type { Seen, Verdict } from "../../../verify/verify";
import { deployed, healthy } from "./fixtures/cluster";

const ALL = deployed();

function verdict(findings: Partial<Finding>[] = [], change: (seen: Seen) => void = () => undefined): Verdict {
  const seen = healthy(ALL);
  change(seen);
  const severity = "drift" as const;
  return { deployed: ALL, seen, findings: findings.map((each) => ({ severity, ...each }) as Finding) };
}

function why(name: string, ...of: Parameters<typeof verdict>): string | undefined {
  return objection(machineOf(name, ALL), verdict(...of));
}

function unsynced(...names: string[]): (seen: Seen) => void {
  return (seen) => {
    for (const { machine, facts } of seen.looks) {
      if (names.includes(machine.name))
        facts.galera.set("wsrep_local_state_comment", "Joining: receiving State Transfer");
    }
  };
}

function unseen(...names: string[]): (seen: Seen) => void {
  return (seen) => (seen.looks = seen.looks.filter(({ machine }) => !names.includes(machine.name)));
}

describe("npm run replace", () => {
  test("takes a server by its name or its id, and no other", () => {
    assert.equal(machineOf("lb-dc1", ALL), machineOf("dev-lb-dc1", ALL));
    assert.throws(() => machineOf("lb-dc9", ALL), /no server lb-dc9; there are dev-app-dc1-1, /);
  });

  test("takes none that the state doesn't have, or that somebody else built", () => {
    const changed = (more: object) => ({
      ...ALL,
      machines: ALL.machines.map((each) => (each.id === "lb-dc1" ? { ...each, ...more } : each)),
    });
    assert.throws(() => machineOf("lb-dc1", changed({ server: undefined })), /not in the state: pulumi up makes it/);
    assert.throws(() => machineOf("lb-dc1", changed({ ours: false, server: undefined })), /built by somebody else/);
  });

  test("does it when the others are well, however broken the server itself is", () => {
    for (const { name } of ALL.machines) {
      const broken = [{ check: "reachability", where: name, what: "SSH" } as const];
      assert.equal(why(name, broken, unseen(name)), undefined, name);
      assert.equal(why(name), undefined, name);
    }
  });

  test("does not where a lost port can be had again: its disk would go for nothing", () => {
    const port = { check: "cloud", where: "dev-db-dc1", what: "port dev-db-dc1-internal", found: "gone" } as const;
    const lost = [{ ...port, repair: { kind: "attach", anew: true } } as const];
    assert.equal(
      why("db-dc1", lost, unseen("dev-db-dc1")),
      "port dev-db-dc1-internal of dev-db-dc1 is gone, and it can have it again as it stands: npm run verify -- --repair. If that fails, as its hypervisor is dead: --unheard",
    );
    assert.equal(
      objection(machineOf("db-dc1", ALL), verdict(lost, unseen("dev-db-dc1")), { unheard: true }),
      undefined,
    );
    assert.equal(why("db-dc2", lost), undefined);
  });

  test("touches no database while another is not synced, or can't be asked", () => {
    assert.match(why("db-dc1", [], unsynced("dev-db-dc2"))!, /^dev-db-dc2 is not synced: heal that first/);
    assert.match(why("db-dc1", [], unseen("dev-db-dc3"))!, /^dev-db-dc3 is not synced/);
    assert.equal(why("db-dc1", [], unsynced("dev-db-dc1")), undefined);
    assert.match(why("db-dc1", [], unsynced("dev-db-dc2", "dev-db-dc3"))!, /no database is synced: docs\/recover\.md/);
  });

  test("touches no data while two write apart from each other", () => {
    const apart = (seen: Seen): void => {
      for (const { machine, facts } of seen.looks)
        if (machine.name === "dev-db-dc2") facts.galera.set("wsrep_cluster_state_uuid", "another");
    };
    assert.match(why("db-dc1", [], apart)!, /the databases are in 2 clusters/);
    assert.equal(why("db-dc2", [], apart), undefined, "the one that is apart is the one that goes");
  });

  test("takes the last one of a kind that is well from nobody", () => {
    const away = (...names: string[]) =>
      names.map((where) => ({ check: "daemons", where, what: "haproxy.service" }) as const);
    assert.equal(why("lb-dc1", away("dev-lb-dc2")), undefined);
    assert.match(why("lb-dc1", away("dev-lb-dc2", "dev-lb-dc3"))!, /^no other load balancer is well/);
    assert.match(why("lb-dc1", [], unseen("dev-lb-dc2", "dev-lb-dc3"))!, /^no other load balancer is well/);
    assert.match(why("app-dc1-1", away("dev-app-dc2-1", "dev-app-dc3-1"))!, /^no other server of its group is well/);
    const warned = [{ check: "daemons", where: "dev-lb-dc2", severity: "warning" }] as const;
    assert.equal(why("lb-dc1", [...warned, ...away("dev-lb-dc3")]), undefined, "a warning is no reason");
    const edited = [{ check: "files", where: "dev-lb-dc2" }] as const;
    assert.equal(why("lb-dc1", [...edited, ...away("dev-lb-dc3")]), undefined, "nor is a file that somebody edited");
  });

  test("touches nothing behind a load balancer that is away: it could be told nothing, and pushed nothing", () => {
    for (const id of ["db-dc2", "app-dc2-1"]) {
      assert.match(why(id, [], unseen("dev-lb-dc2"))!, new RegExp(`^dev-lb-dc2 is away, by way of which dev-${id} is`));
      assert.equal(why(id, [], unseen("dev-lb-dc1")), undefined);
    }
  });

  test("takes no server of another group for one that stands in", () => {
    const groups = {
      ...ALL,
      machines: ALL.machines.map((each) => {
        const id = each.id.replace(/^app-(dc[23])/, "app-two-$1");
        return { ...each, id };
      }),
    };
    const target = machineOf("app-dc1-1", groups);
    assert.match(objection(target, { ...verdict(), deployed: groups })!, /^no other server of its group is well/);
  });

  test("does nothing while the stack file has moved on", () => {
    assert.match(
      why("lb-dc1", [{ check: "stack", found: "2 resources would change" }])!,
      /^the stack file or the program has moved on/,
    );
  });
});
