import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fromClient } from "../../harness/http";
import { ROOT } from "../../operate/lab/places";
import { until } from "../../operate/poll";
import type { Stack } from "../../operate/stack";
import { temporaryFolder } from "../support/folder";
import { servers } from "../lab/standing";
import { cluster, lab, NAME, open, stackFile, verb } from "../lab/support";

const LOST = "test-db-dc3";
const LEFT = ["test-db-dc1", "test-db-dc2"] as const;
const SECTION = /docs\/recover\.md[^\n]*, "No database runs"/;

/** "Start with the newest" of docs/recover.md, as it stands there; on every one, then on the newest, then on the others. */
function steps(): { every: string; newest: string; others: string } {
  const [, block] = /^\*\*Start with the newest\*\*.*\n\n```\n([^]*?)```/m.exec(
    readFileSync(join(ROOT, "docs", "recover.md"), "utf8"),
  )!;
  const lines = block!.split("\n").map((line) => line.replace(/ +# .*/, ""));
  const at = (start: string): number => lines.findIndex((line) => line.startsWith(start));
  const [founds, starts] = [at("sed "), at("systemctl start mariadb")];
  assert.ok(founds > 0 && starts > founds, block);
  const text = (from: number, to?: number): string => lines.slice(from, to).join("\n");
  return { every: text(0, founds), newest: text(founds, starts), others: text(starts) };
}

describe("data that only a choice could lose", () => {
  const folder = temporaryFolder();
  const mark = `kept-${Date.now()}`;
  let acknowledged = 0;
  let stack: Stack;

  before(async () => {
    stack = await open(stackFile(), folder.path);
    await stack.up();
  });
  after(() => folder.remove());

  async function write(rows: number): Promise<void> {
    for (let left = rows; left > 0; left--) {
      const url = cluster.url("ipv4", `/rows/${mark}-${acknowledged}`);
      // After a database was stopped the next one is asked within seconds.
      await until(
        "a row to be acknowledged",
        () => fromClient(lab, url, { method: "PUT" }),
        ({ status }) => status === 201,
      );
      acknowledged++;
    }
  }

  async function stop(name: string): Promise<void> {
    await lab.on(name, "systemctl stop mariadb");
  }

  async function lose(name: string): Promise<void> {
    await lab.openstackDo("server", "delete", name);
    await until(`${name} to be gone`, servers, (list) => !list.has(name), { seconds: 60 });
  }

  async function position(name: string): Promise<string> {
    return lab.on(name, "grep -E '^(uuid|seqno):' /var/lib/mysql/grastate.dat; systemctl is-active mariadb || :");
  }

  /** As recover.md has it, on those that are left. */
  async function startWithTheNewest(): Promise<void> {
    const { every, newest, others } = steps();
    const found: { name: string; seqno: number }[] = [];
    for (const name of LEFT) {
      const said = await lab.on(name, `${every} 2>&1`);
      found.push({ name, seqno: Number(/--wsrep_start_position=[\w-]+:(\d+)/.exec(said)?.[1] ?? assert.fail(said)) });
    }
    const first = found.reduce((most, each) => (each.seqno >= most.seqno ? each : most)).name;
    await lab.on(first, newest);
    for (const name of LEFT.filter((each) => each !== first)) await lab.on(name, others);
  }

  async function allHaveAll(): Promise<void> {
    const query = `SELECT COUNT(DISTINCT token) FROM app.ha_cluster_rows WHERE token LIKE '${mark}-%'`;
    for (const name of cluster.databases)
      assert.equal((await lab.on(name, `mariadb -BNe "${query}"`)).trim(), `${acknowledged}`, name);
    const { code, stdout, stderr } = await verb("verify", stack);
    assert.equal(code, 0, stdout + stderr);
  }

  test("the last by name deleted while MariaDB is stopped on the others, and what `verify` advises", async (t) => {
    await write(100);
    await stop(LEFT[0]);
    await write(20);
    await stop(LEFT[1]);
    await lose(LOST);
    const before = await Promise.all(LEFT.map(position));

    const looked = await verb("verify", stack);
    assert.equal(looked.code, 1, looked.stdout + looked.stderr);
    const repaired = await verb("verify", stack, "--repair");
    for (const line of repaired.stderr.split("\n").filter((each) => each.includes("repair"))) t.diagnostic(line);
    assert.equal(repaired.code, 1, repaired.stdout + repaired.stderr);
    assert.match(repaired.stdout + repaired.stderr, /no database (is synced|can be asked)/);
    assert.match(repaired.stdout + repaired.stderr, SECTION);
    assert.deepEqual(await Promise.all(LEFT.map(position)), before);
    assert.ok(!(await servers()).has(LOST));

    await startWithTheNewest();
    await stack.up(["--refresh"]);
    await allHaveAll();
  });

  test("all stopped in turn, the last to leave deleted, the others started, and `up --refresh`", async (t) => {
    await write(100);
    for (const name of cluster.databases) await stop(name);
    await lose(LOST);
    for (const name of LEFT) {
      const { code, stdout, stderr } = await lab.ssh(name, "systemctl start mariadb");
      t.diagnostic(`${name}: systemctl start mariadb: ${code} ${stdout}${stderr}`.trim());
    }

    const args = ["up", "--yes", "--skip-preview", "--refresh", "--stack", NAME];
    const { code, stdout, stderr } = await stack.pulumi([...args, "--config-file", stack.options.configFile!]);
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, SECTION);
    for (const name of LEFT) assert.doesNotMatch(await position(name), /^active/m, name);

    await startWithTheNewest();
    await stack.up();
    await allHaveAll();
  });
});
