import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ROOT } from "../../operate/lab/places";
import { fromClient } from "../../harness/http";
import { run } from "../../operate/exec";
import type { Stack } from "../../operate/stack";
import { temporaryFolder } from "../support/folder";
import { removeLeftovers } from "../lab/leftovers";
import { servers } from "../lab/standing";
import { cluster, lab, NAME, open, stackFile } from "../lab/support";
import { unnoticed } from "../lab/unnoticed";

const RESTART = /dc1 +app-dc1-1: .*; the application restarts\n(.*\n)* +customers: one server after the other is away/;
const PORTS_ALONE = / \+ 4 to create\n/;

/** The commits that were handed out, whose clusters run somewhere, and what a preview says of their upgrade. */
const RELEASES: Record<string, RegExp> = {
  "41a27bf": RESTART,
  fb7b8e3: RESTART,
  "7b6e2cc": RESTART,
  "4ec9270": PORTS_ALONE,
};

for (const [release, words] of Object.entries(RELEASES)) {
  describe(`a cluster that ${release} built, with its own stack file`, () => {
    const folder = temporaryFolder();
    const checkout = join(folder.path, release);
    let stack: Stack;
    let built: Map<string, string>;
    const token = `written-under-${release}`;

    before(async () => {
      await removeLeftovers();
      await run("git", ["worktree", "add", "--quiet", "--detach", checkout, release], { cwd: ROOT });
      await run("npm", ["ci", "--silent", "--no-audit", "--no-fund"], { cwd: checkout, timeout: 300_000 });
      await (await open(stackFile(checkout), folder.path, checkout)).up();
      built = await servers();
      await cluster.rowAcrossDatacenters(token);
      stack = await open(stackFile(checkout), folder.path);
    });
    after(async () => {
      folder.remove();
      await run("git", ["worktree", "prune"], { cwd: ROOT });
      await removeLeftovers();
    });

    test("a preview replaces nothing, deletes nothing, and stops nobody", async () => {
      const { code, stdout, stderr } = await stack.preview();
      assert.equal(code, 0, stdout + stderr);
      assert.doesNotMatch(stdout, /replace|STOPPED|DELETED|^ +- /m);
      assert.match(stdout, words);
    });

    test("`up` goes through on the same servers, and nobody notices", async (t) => {
      await unnoticed(t, () => stack.up());
      assert.deepEqual(await servers(), built);
      assert.equal((await fromClient(lab, cluster.url("ipv4", `/rows/${token}`))).status, 200);
      await stack.up(["--expect-no-changes"]);
    });

    test("it is then as any other: nothing destroys it unasked, and nothing is left of it", async () => {
      await assert.rejects(stack.destroy(), /protect/);
      assert.deepEqual(await servers(), built);
      const asked = await open(stackFile(checkout).set("mayDestroy", NAME), folder.path);
      await asked.up();
      await asked.destroy();
      for (const kind of ["server", "port", "keypair"]) assert.deepEqual(await lab.openstack(kind, "list"), []);
    });
  });
}
