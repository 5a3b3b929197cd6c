import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { localRepository } from "../../harness/packages";
import type { Result } from "../../operate/exec";
import type { Stack } from "../../operate/stack";
import { temporaryFolder } from "../support/folder";
import { cluster, lab, open, stackFile, verb } from "./support";
import { unnoticed } from "./unnoticed";

/** One server of each role, in the order of their turns. */
const IN_TURN = ["test-lb-dc2", "test-db-dc2", "test-app-dc2-1"];

const ALL = [...cluster.loadBalancers, ...cluster.databases, ...cluster.appServers];

describe("`npm run patch`", () => {
  const folder = temporaryFolder();
  let stack: Stack;

  before(async () => {
    stack = await open(stackFile(), folder.path);
    await stack.up();
    // A package that serves nobody, so that machines that stand in for each other go on with the same versions.
    await Promise.all(
      IN_TURN.map((name) => lab.on(name, localRepository([{ package: "hostname", suffix: "+patched" }]))),
    );
  });
  after(() => folder.remove());

  const patch = (...options: string[]): Promise<Result> =>
    verb("patch", stack, "--only", ...IN_TURN.map((name) => name.replace("test-", "")), ...options);

  async function boots(): Promise<Map<string, string>> {
    const ask = (name: string): Promise<string> => lab.on(name, "cat /proc/sys/kernel/random/boot_id");
    return new Map(await Promise.all(ALL.map(async (name) => [name, await ask(name)] as const)));
  }

  test("one server of each role is updated and reboots, one after the other, and no client notices", async (t) => {
    const before = await boots();
    const { output } = await unnoticed(t, async () => {
      const { code, stdout, stderr } = await patch("--reboot", "always", "--yes");
      assert.equal(code, 0, stdout + stderr);
      return stdout;
    });
    const turns = [...output.matchAll(/^(\S+): (begins|reboots|done)(?=$|,)/gm)].map(
      ([, name, what]) => `${name!} ${what!}`,
    );
    assert.deepEqual(
      turns,
      IN_TURN.flatMap((name) => [`${name} begins`, `${name} reboots`, `${name} done`]),
    );
    const now = await boots();
    assert.deepEqual(ALL.filter((name) => now.get(name) !== before.get(name)).sort(), [...IN_TURN].sort());
    for (const name of IN_TURN) {
      assert.match(await lab.on(name, "dpkg-query -W -f='${Version}' hostname"), /\+patched$/);
    }
  });

  test("what is done is left alone by the next; a cluster that is not well is not touched at all", async () => {
    const again = await patch("--yes");
    assert.equal(again.code, 0, again.stdout + again.stderr);
    assert.match(again.stdout, /test-lb-dc2: nothing to do, left alone.*\n\nnothing to do\n$/s);

    await lab.on("test-app-dc3-1", "systemctl stop app");
    try {
      const refused = await patch("--reboot", "always", "--yes");
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /is not well, so nothing was done:\n(.*\n)* {2}test-app-dc3-1 app\.service: inactive/,
      );
    } finally {
      await lab.on("test-app-dc3-1", "systemctl start app");
    }
  });
});
