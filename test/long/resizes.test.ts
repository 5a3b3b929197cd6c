import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fromClient } from "../../harness/http";
import type { StackFile } from "../../harness/stackFile";
import { until } from "../../operate/poll";
import type { Stack } from "../../operate/stack";
import { makeFlavor, removeFlavor } from "../lab/flavors";
import { servers } from "../lab/standing";
import { cluster, lab, NAME, open, stackFile, verb } from "../lab/support";
import { throughout } from "../lab/throughout";
import { temporaryFolder } from "../support/folder";
import { deploy, withdraw } from "../witnesses/release";

const WIDE = "ha-cluster-test-wider";
/** No hypervisor has room for it. */
const HUGE = "ha-cluster-test-hugest";

const [LOAD_BALANCER, DATABASE] = ["test-lb-dc2", "test-db-dc2"];

describe("a resize that fails", () => {
  const folder = temporaryFolder();
  const token = "written-before-the-resize";
  const stackOf = (file: StackFile): Promise<Stack> => open(file, folder.path);

  before(async () => {
    await makeFlavor(WIDE, 3072);
    await makeFlavor(HUGE, 9_999_999);
    await (await stackOf(stackFile())).up();
    await deploy(cluster);
    await cluster.rowAcrossDatacenters(token);
  });
  after(async () => {
    await withdraw(cluster);
    folder.remove();
    for (const name of [WIDE, HUGE]) await removeFlavor(name);
  });

  const inDc2 = (flavor: string): Record<string, string> => ({ dc1: "m1.small", dc2: flavor, dc3: "m1.small" });

  async function failing(stack: Stack, words: RegExp): Promise<string> {
    const args = ["up", "--yes", "--skip-preview", "--stack", NAME, "--config-file", stack.options.configFile!];
    const { code, stdout, stderr } = await stack.pulumi(args);
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, words);
    return stdout + stderr;
  }

  async function refresh(stack: Stack): Promise<void> {
    const args = ["refresh", "--yes", "--skip-preview", "--stack", NAME];
    await stack.must([...args, "--config-file", stack.options.configFile!]);
  }

  async function flavorOf(name: string): Promise<string> {
    return JSON.stringify((await lab.openstack<{ flavor: unknown }>("server", "show", name)).flavor);
  }

  async function rebooted(name: string): Promise<void> {
    await lab.openstackDo("server", "reboot", "--hard", name);
    await until(
      `${name} to be active`,
      () => lab.openstack<{ status: string }>("server", "show", name),
      ({ status }) => status === "ACTIVE",
      { seconds: 60 },
    );
    await until(
      `${name} to be reached`,
      () => lab.ssh(name, "true"),
      ({ code }) => code === 0,
      { seconds: 90 },
    );
  }

  /** Everybody there as before, and nothing left to do. */
  async function whole(before: Map<string, string>): Promise<void> {
    const stack = await stackOf(stackFile());
    assert.deepEqual(await servers(), before);
    const { status, body } = await fromClient(lab, cluster.url("ipv4", `/rows/${token}`));
    assert.equal(status, 200, body);
    for (const name of cluster.databases)
      assert.match(await lab.on(name, "mariadb -BNe \"SHOW STATUS LIKE 'wsrep_cluster_size'\""), /3/, name);
    await stack.up(["--expect-no-changes"]);
    const { code, stdout, stderr } = await verb("verify", stack);
    assert.equal(code, 0, stdout + stderr);
  }

  test("refused by Nova: the database goes on as it was, and the old file goes through", async (t) => {
    const before = await servers();
    const row = { name: "a resize that Nova refuses, and the old flavor again", stops: { databases: 2 } };
    await throughout(t, row, async () => {
      const stack = await stackOf(stackFile().set("database.flavor", inDc2(HUGE)));
      await failing(stack, /db-dc2[^]*unexpected state 'ACTIVE', wanted target 'VERIFY_RESIZE'/);
      assert.match(await flavorOf(DATABASE), /m1\.small/);
      const old = await stackOf(stackFile());
      const said = await failing(old, /test-db-dc2 was to become ha-cluster-test-hugest, which failed/);
      assert.match(
        said,
        /it still has m1\.small\n\s+→ .*`pulumi refresh`, and `pulumi up` with the new flavor or the old/,
      );
      await refresh(old);
      return old.up();
    });
    await whole(before);
  });

  test("died in the middle: the next `up` goes on with the new file, and one that died again with the old", async (t) => {
    const before = await servers();
    const wide = (): Promise<Stack> =>
      stackOf(
        stackFile()
          .set("loadBalancers", { flavor: inDc2(WIDE) })
          .set("database.flavor", inDc2(WIDE)),
      );
    const row = {
      name: "resizes that die in the middle, then the new flavor, then the old",
      stops: { loadBalancers: 3, databases: 2 },
    };
    await throughout(t, row, async () => {
      await lab.failsNext(LOAD_BALANCER, "resize");
      let stack = await wide();
      await failing(stack, /lb-dc2[^]*ERROR/);
      assert.match(await flavorOf(DATABASE), /m1\.small/, "the next one is not touched");
      await rebooted(LOAD_BALANCER);
      await refresh(stack);

      await lab.failsNext(DATABASE, "resize");
      await failing(stack, /db-dc2[^]*ERROR/);
      assert.match(await flavorOf(LOAD_BALANCER), new RegExp(WIDE), "it went on with the new file");
      await rebooted(DATABASE);
      stack = await stackOf(stackFile());
      await refresh(stack);
      const output = await stack.up();
      assert.match(await flavorOf(LOAD_BALANCER), /m1\.small/);
      assert.match(await flavorOf(DATABASE), /m1\.small/);
      return output;
    });
    await whole(before);
  });
});
