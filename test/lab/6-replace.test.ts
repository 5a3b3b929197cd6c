import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fromClient } from "../../harness/http";
import { until } from "../../operate/poll";
import type { Stack } from "../../operate/stack";
import { temporaryFolder } from "../support/folder";
import { servers } from "./standing";
import { cluster, lab, open, stackFile, verb } from "./support";
import { unnoticed } from "./unnoticed";

describe("`npm run replace`", () => {
  const folder = temporaryFolder();
  let stack: Stack;

  before(async () => {
    stack = await open(stackFile(), folder.path);
    await stack.up();
  });
  after(() => folder.remove());

  /** All others are the very servers that they were. */
  async function onlyReplaced(name: string, before: Map<string, string>): Promise<void> {
    const now = await servers();
    assert.notEqual(now.get(name), before.get(name));
    for (const [other, id] of before) if (other !== name) assert.equal(now.get(other), id, other);
  }

  test("the active load balancer hands over first, and no client notices", async (t) => {
    const before = await servers();
    const active = await cluster.master(cluster.addresses(["ipv4", "ipv6"]));
    const { output } = await unnoticed(t, async () => {
      const { code, stdout, stderr } = await verb("replace", stack, "--yes", active);
      assert.equal(code, 0, stdout + stderr);
      return stdout;
    });
    assert.match(output, new RegExp(`^${active} is deleted, with everything on its disk, and made anew\n`));
    assert.match(output, new RegExp(`${active} hands over and stops serving`));
    await onlyReplaced(active, before);
  });

  test("a database whose machine is dead is made anew from the others, but not while one of them is not synced", async () => {
    const before = await servers();
    const [broken, other] = ["test-db-dc2", "test-db-dc1"];
    const token = "written-before-it-died";
    await cluster.rowAcrossDatacenters(token);
    await lab.on(other, "systemctl stop mariadb");
    try {
      const { code, stderr } = await verb("replace", stack, "--yes", broken);
      assert.equal(code, 1, stderr);
      assert.match(stderr, new RegExp(`^nothing done: ${other} is not synced: heal that first`));
      assert.deepEqual(await servers(), before);
    } finally {
      await lab.on(other, "systemctl start mariadb");
    }
    await lab.power(broken, "off");
    await until(
      `the others to do without ${broken}`,
      () => lab.on(other, `mariadb -BNe "SHOW STATUS LIKE 'wsrep_%'"`),
      (shown) => /wsrep_cluster_size\t2\n/.test(shown) && /wsrep_cluster_status\tPrimary\n/.test(shown),
    );
    const { code, stdout, stderr } = await verb("replace", stack, "--yes", broken);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`${broken} can't be told \\(not reached by SSH\\), and goes as it is`));
    await onlyReplaced(broken, before);
    const { status, body } = await fromClient(lab, cluster.url("ipv4", `/rows/${token}`));
    assert.equal(status, 200, body);
    assert.match(await lab.on(broken, `mariadb -BNe "SHOW STATUS LIKE 'wsrep_cluster_size'"`), /3/);
  });
});
