import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { rollOut } from "../../harness/rollout";
import { failuresOf, summaryOf } from "../../operate/traffic/summary";
import { temporaryFolder } from "../support/folder";
import { CERTIFICATE } from "../support/specs";
import { cluster, lab, open, stackFile } from "../lab/support";

/** As in lab/6-rollouts.test.ts. */
const PER_SECOND = 10;

describe("another port of the applications", () => {
  const folder = temporaryFolder();
  const caFile = join(folder.path, "ca.pem");

  before(() => writeFileSync(caFile, CERTIFICATE));
  after(() => folder.remove());

  for (const [port, old, file] of [
    [9000, 8080, stackFile().set("appServers.app.port", 9000)],
    [8080, 9000, stackFile()],
  ] as const) {
    test(`${port} instead of ${old}: in one run, on the same servers, and unnoticed`, async (t) => {
      const stack = await open(file, folder.path);
      const before = await lab.openstack<{ ID: string }[]>("server", "list");
      const { attempts, mastership, seconds } = await rollOut(cluster, stack, {
        families: ["ipv4", "ipv6"],
        perSecond: PER_SECOND,
        caFile,
      });
      const { sent, slowest } = summaryOf(attempts);
      t.diagnostic(
        `${seconds.toFixed(1)} s; ${failuresOf(attempts).length} of ${sent} requests failed, slowest ${slowest} ms, ${mastership.handovers} handovers`,
      );
      assert.deepEqual(failuresOf(attempts), []);
      const after = await lab.openstack<{ ID: string }[]>("server", "list");
      assert.deepEqual(after.map(({ ID }) => ID).sort(), before.map(({ ID }) => ID).sort());
      for (const name of cluster.appServers) {
        const rules = await lab.on(name, "ss -Hltn; nft list table inet ha_cluster");
        assert.match(rules, new RegExp(`:${port} `));
        assert.doesNotMatch(rules, new RegExp(`\\b${old}\\b`));
      }
      const groups = await lab.openstack<{ "Port Range": string }[]>("security", "group", "rule", "list");
      const ranges = groups.map((each) => each["Port Range"]);
      assert.deepEqual([ranges.includes(`${port}:${port}`), ranges.includes(`${old}:${old}`)], [true, false]);
      await stack.up(["--expect-no-changes"]);
    });
  }
});
