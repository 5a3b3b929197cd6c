import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { announced, consequences, objection } from "../../../verify/consequences";
import { copiesOf, doubt } from "../../../verify/data";
import { type Finding, LOST_DATABASE, LOST_DATABASES } from "../../../verify/finding";
import type { Deployed } from "../../../verify/gather/deployed";
import type { Step } from "../../../verify/gather/engine";
import { planRepairs } from "../../../verify/repair";
import { mended, type Timed } from "../../../verify/rounds";
import { judge, type Seen } from "../../../verify/verify";
import { deployed, healthy, NOW } from "./fixtures/cluster";

const ASKED = { replaceServers: true };
const NOT_ASKED = { replaceServers: false };
const ALL = deployed();

/** As `pulumi preview --refresh --json` says it of a server whose port is gone. */
function replaced(id: string): Step[] {
  const { server, ports, commands } = ALL.machines.find((machine) => machine.id === id)!;
  return [
    { op: "create", urn: ports[0]!.urn! },
    { op: "replace", urn: server!.urn },
    ...Object.values(commands).map((urn) => ({ op: "replace", urn })),
  ];
}

function pushed(id: string): Step[] {
  return [{ op: "replace", urn: ALL.machines.find((machine) => machine.id === id)!.commands.config! }];
}

const made = (id: string): Step[] => replaced(id).map(({ urn }) => ({ op: "create", urn }));

function copies(change: (seen: Seen) => void = () => undefined): ReturnType<typeof copiesOf> {
  const seen = healthy(ALL);
  change(seen);
  return copiesOf(ALL, seen.looks);
}

function galera(seen: Seen, names: readonly string[], values: Record<string, string>): void {
  for (const { machine, facts } of seen.looks) {
    if (!names.includes(machine.name)) continue;
    for (const [key, value] of Object.entries(values)) facts.galera.set(key, value);
  }
}

const DATABASES = ["dev-db-dc1", "dev-db-dc2", "dev-db-dc3"];
const UNSYNCED = { wsrep_local_state_comment: "Initialized", wsrep_cluster_status: "non-Primary" };

describe("before --repair acts", () => {
  test("it says what each server will feel, once", () => {
    const felt = consequences([...replaced("app-dc1-1"), ...pushed("db-dc2"), ...made("lb-dc3")], ALL);
    assert.deepEqual(felt, [
      { name: "dev-app-dc1-1", role: "app-server", does: "replace" },
      { name: "dev-db-dc2", role: "database", does: "push" },
      { name: "dev-lb-dc3", role: "load-balancer", does: "make" },
    ]);
    const stopped = { check: "galera", where: "dev-db-dc2", what: "MariaDB" } as Finding;
    assert.deepEqual(announced(felt, [stopped]), [
      "dev-app-dc1-1 is deleted, with everything on its disk, and made anew",
      "dev-db-dc2 is pushed to: MariaDB is started",
      "dev-lb-dc3 is made anew: it is gone",
    ]);
    const edited = { check: "files", where: "dev-db-dc2", what: "/etc/mysql/mariadb.conf.d/60-ha-cluster.cnf" };
    assert.match(announced(felt, [edited as Finding])[1]!, /MariaDB is restarted/);
    assert.match(announced(felt, [])[1]!, /MariaDB goes on/);
  });

  test("deletion and creation in one run are a replacement, in whatever steps", () => {
    const { urn } = ALL.machines.find(({ id }) => id === "lb-dc1")!.server!;
    for (const ops of [
      ["delete", "create"],
      ["create", "delete"],
      ["create-replacement", "delete-replaced"],
    ]) {
      const [felt] = consequences(
        ops.map((op) => ({ op, urn })),
        ALL,
      );
      assert.equal(felt!.does, "replace", ops.join());
    }
    assert.deepEqual(consequences([{ op: "update", urn }], ALL), []);
  });

  test("it deletes no server unasked, and no database's at all", () => {
    const app = consequences(replaced("app-dc1-1"), ALL);
    assert.match(
      objection(app, copies(), undefined, NOT_ASKED)!,
      /dev-app-dc1-1 would be deleted\. .*--replace-servers/,
    );
    assert.equal(objection(app, copies(), undefined, ASKED), undefined);
    const database = consequences([...replaced("app-dc1-1"), ...replaced("db-dc2")], ALL);
    for (const flag of [ASKED, NOT_ASKED]) {
      const why = objection(database, copies(), undefined, flag)!;
      assert.match(why, /nothing touched: dev-db-dc2 would be deleted, with its data/);
      assert.ok(why.endsWith(LOST_DATABASE));
    }
    const { urn } = ALL.machines.find(({ id }) => id === "db-dc1")!.server!;
    assert.match(objection(consequences([{ op: "delete", urn }], ALL), copies(), undefined, ASKED)!, /with its data/);
  });

  test("a database that is gone is made anew only beside one that is synced", () => {
    const anew = consequences(made("db-dc3"), ALL);
    const lost = (seen: Seen): unknown =>
      (seen.looks = seen.looks.filter(({ machine }) => machine.name !== "dev-db-dc3"));
    assert.equal(objection(anew, copies(lost), doubt(copies(lost)), NOT_ASKED), undefined);
    const last = copies((seen) => {
      galera(seen, DATABASES.slice(0, 2), UNSYNCED);
      galera(seen, DATABASES.slice(2), { wsrep_cluster_size: "1" });
    });
    assert.equal(doubt(last), undefined);
    assert.match(objection(anew, last, undefined, ASKED)!, /dev-db-dc3 would be made anew, and no other database/);
  });

  test("while nobody knows whose data goes on, it pushes to no database; to others it does", () => {
    const none = copies((seen) => galera(seen, DATABASES, UNSYNCED));
    const why = doubt(none);
    assert.equal(why, "no database is synced");
    assert.match(objection(consequences(pushed("db-dc2"), ALL), none, why, ASKED)!, /dev-db-dc2 would be pushed to/);
    assert.equal(objection(consequences(pushed("lb-dc1"), ALL), none, why, NOT_ASKED), undefined);
  });
});

describe("data is in doubt", () => {
  const CASES: [string, (seen: Seen) => void, RegExp | undefined][] = [
    ["not where all are synced", () => undefined, undefined],
    ["not where one is stopped", (seen) => galera(seen, ["dev-db-dc1"], UNSYNCED), undefined],
    ["where none is synced", (seen) => galera(seen, DATABASES, UNSYNCED), /no database is synced/],
    [
      "where none could be asked",
      (seen) => (seen.looks = seen.looks.filter(({ machine }) => machine.role !== "database")),
      /no database can be asked/,
    ],
    [
      "in two clusters",
      (seen) => galera(seen, ["dev-db-dc3"], { wsrep_cluster_state_uuid: "b-1", wsrep_cluster_size: "1" }),
      /2 clusters: dev-db-dc1, dev-db-dc2 in 6b7a.*; dev-db-dc3 in b-1/,
    ],
    [
      "not by one that never joined any",
      (seen) =>
        galera(seen, ["dev-db-dc3"], {
          ...UNSYNCED,
          wsrep_cluster_state_uuid: "00000000-0000-0000-0000-000000000000",
        }),
      undefined,
    ],
    [
      "where two parts of one cluster both write",
      (seen) => {
        galera(seen, DATABASES, { wsrep_cluster_size: "2" });
        galera(seen, ["dev-db-dc3"], { wsrep_cluster_size: "1" });
      },
      /write apart/,
    ],
    [
      "not while one joins, whom not all have counted yet",
      (seen) => galera(seen, ["dev-db-dc1"], { wsrep_cluster_size: "2" }),
      undefined,
    ],
  ];
  for (const [kind, change, says] of CASES) {
    test(kind, () => {
      const why = doubt(copies(change));
      if (says === undefined) assert.equal(why, undefined);
      else assert.match(why!, says);
    });
  }

  test("then no finding of a database is mended by a push, and each says where to read on", () => {
    const seen = healthy(ALL);
    galera(seen, DATABASES, UNSYNCED);
    const { facts } = seen.looks.find(({ machine }) => machine.name === "dev-lb-dc2")!;
    facts.scripts.push("mine.sh");
    const findings = judge(ALL, seen, NOW);
    const own = findings.filter(({ where }) => DATABASES.includes(where));
    assert.equal(own.length, 6);
    assert.ok(own.every(({ repair, mend }) => repair === undefined && mend.includes(LOST_DATABASES)));
    const urn = ALL.machines.find(({ name }) => name === "dev-lb-dc2")!.commands.scripts!;
    assert.deepEqual(planRepairs(findings, ALL).up, ["--replace", urn]);
  });

  test("one that is stopped beside two that are synced is pushed to, and they are left alone", () => {
    const seen = healthy(ALL);
    galera(seen, DATABASES, { wsrep_cluster_size: "2" });
    seen.looks.find(({ machine }) => machine.name === "dev-db-dc3")!.facts.galera.clear();
    const { commands } = ALL.machines.find(({ name }) => name === "dev-db-dc3")!;
    assert.deepEqual(planRepairs(judge(ALL, seen, NOW), ALL).up, ["--replace", commands.config]);
  });
});

test("onto an empty disk everything is pushed", () => {
  const finding = { where: "dev-db-dc1", repair: { kind: "push-all" } } as Finding;
  const { commands } = ALL.machines.find(({ name }) => name === "dev-db-dc1")!;
  const urns = [commands.config, commands.scripts, commands.secrets];
  assert.deepEqual(
    planRepairs([finding], ALL).up,
    urns.flatMap((urn) => ["--replace", urn]),
  );
});

describe("rounds of repair", () => {
  const DRIFT = { check: "files", where: "dev-lb-dc1", severity: "drift", repair: { kind: "refresh" } } as Finding;
  const timed = (findings: Finding[], all: Deployed = ALL, seen = healthy(ALL)): Timed => ({
    verdict: { deployed: all, seen, findings },
    seconds: 0,
  });

  test("one that failed has failed, also where all looks well afterwards", async () => {
    const said: string[] = [];
    const { last, failed } = await mended(timed([DRIFT]), {
      look: () => Promise.resolve(timed([])),
      repair: () => Promise.reject(new Error("pulumi up ended with 255")),
      say: (text) => said.push(text),
    });
    assert.deepEqual([last.verdict.findings, failed, said], [[], true, ["pulumi up ended with 255"]]);
  });

  test("one that was refused has failed", async () => {
    const ahead = { check: "stack", severity: "warning", found: "" } as Finding;
    const { failed } = await mended(timed([DRIFT, ahead]), {
      look: () => Promise.reject(new Error("not needed")),
      repair: () => Promise.reject(new Error("not wanted")),
      say: () => undefined,
    });
    assert.ok(failed);
  });

  test("what is left for a person is said, and is no success", async () => {
    const seen = healthy(ALL);
    galera(seen, DATABASES, UNSYNCED);
    const said: string[] = [];
    const { failed } = await mended(timed([], ALL, seen), {
      look: () => Promise.reject(new Error("not needed")),
      repair: () => Promise.reject(new Error("not wanted")),
      say: (text) => said.push(text),
    });
    assert.ok(failed);
    assert.match(said.join(), /no database is touched: no database is synced\. docs\/recover\.md/);
  });

  test("goes on until nothing is left", async () => {
    const left = [[DRIFT], []];
    let repairs = 0;
    const { last, failed } = await mended(
      timed([DRIFT]),
      {
        look: () => Promise.resolve(timed(left.shift()!)),
        repair: () => {
          repairs++;
          return Promise.resolve();
        },
        say: () => undefined,
      },
      0,
    );
    assert.deepEqual([last.verdict.findings, failed, repairs], [[], false, 2]);
  });
});

test("the sections that findings name are there", () => {
  const text = readFileSync(join(__dirname, "..", "..", "..", "docs", "recover.md"), "utf8");
  const named = [...`${LOST_DATABASE} ${LOST_DATABASES}`.matchAll(/"([^"]+)"/g)].map(([, title]) => title!);
  assert.ok(named.length >= 2);
  for (const title of named) assert.ok(text.includes(`\n## ${title}\n`), title);
});
