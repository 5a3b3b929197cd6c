import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { localRepository } from "../../harness/packages";
import { LAB_PASSPHRASE, ROOT, stackState } from "../../operate/lab/places";
import { underTraffic } from "../../harness/rollout";
import { exec, type Result } from "../../operate/exec";
import type { Stack } from "../../operate/stack";
import { failuresOf, summaryOf } from "../../operate/traffic/summary";
import { temporaryFolder } from "../support/folder";
import { CERTIFICATE } from "../support/specs";
import { cluster, lab, NAME, open, stackFile } from "./support";

/** One server of each role, in the order of their turns. */
const IN_TURN = ["test-lb-dc2", "test-db-dc2", "test-app-dc2-1"];

const ALL = [...cluster.loadBalancers, ...cluster.databases, ...cluster.appServers];

describe("`npm run patch`", () => {
  const folder = temporaryFolder();
  const caFile = join(folder.path, "ca.pem");
  let stack: Stack;

  before(async () => {
    writeFileSync(caFile, CERTIFICATE);
    stack = await open(stackFile(), folder.path);
    await stack.up();
    // A package that serves nobody, so that machines that stand in for each other go on with the same versions.
    await Promise.all(
      IN_TURN.map((name) => lab.on(name, localRepository([{ package: "hostname", suffix: "+patched" }]))),
    );
  });
  after(() => folder.remove());

  function patch(...options: string[]): Promise<Result> {
    const { configFile, environment } = stack.options;
    return exec(
      process.execPath,
      [
        ...["--import", "tsx", join(ROOT, "cli", "patch.ts"), "--stack", NAME, "--config-file", configFile!],
        ...["--only", ...IN_TURN.map((name) => name.replace("test-", "")), ...options],
      ],
      {
        cwd: ROOT,
        env: {
          ...process.env,
          ...environment,
          PULUMI_BACKEND_URL: `file://${stackState(NAME)}`,
          PULUMI_CONFIG_PASSPHRASE: LAB_PASSPHRASE,
        },
      },
    );
  }

  async function boots(): Promise<Map<string, string>> {
    const ask = (name: string): Promise<string> => lab.on(name, "cat /proc/sys/kernel/random/boot_id");
    return new Map(await Promise.all(ALL.map(async (name) => [name, await ask(name)] as const)));
  }

  test("one server of each role is updated and reboots, one after the other, and no client notices", async (t) => {
    const before = await boots();
    const { attempts, seconds, output } = await underTraffic(
      cluster,
      { families: ["ipv4", "ipv6"], perSecond: 10, caFile },
      async () => {
        const { code, stdout, stderr } = await patch("--reboot", "always", "--yes");
        assert.equal(code, 0, stdout + stderr);
        return stdout;
      },
    );
    t.diagnostic(`${seconds.toFixed(1)} s, ${summaryOf(attempts).sent} requests`);
    assert.deepEqual(failuresOf(attempts), []);
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
