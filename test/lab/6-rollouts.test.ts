import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Rollout, rollOut } from "../../harness/rollout";
import { type StackFile } from "../../harness/stackFile";
import { failuresOf, summaryOf } from "../../operate/traffic/summary";
import { temporaryFolder } from "../support/folder";
import { CERTIFICATE } from "../support/specs";
import { cluster, open, stackFile } from "./support";

/** Modest, so that a busy machine is no reason for a request to fail; `npm run bench:rollouts` measures with more. */
const PER_SECOND = 10;

describe("a rollout that clients don't notice", () => {
  const folder = temporaryFolder();
  const caFile = join(folder.path, "ca.pem");

  before(() => writeFileSync(caFile, CERTIFICATE));
  after(() => folder.remove());

  async function unnoticed(file: StackFile): Promise<Rollout> {
    const stack = await open(file, folder.path);
    const rollout = await rollOut(cluster, stack, {
      families: ["ipv4", "ipv6"],
      perSecond: PER_SECOND,
      caFile,
    });
    assert.deepEqual(failuresOf(rollout.attempts), []);
    return rollout;
  }

  for (const [what, change] of [
    ["another health check and other timers", slower],
    ["back to what was before", (file: StackFile) => file],
  ] as const) {
    test(what, async (t) => {
      const { attempts, mastership, lag } = await unnoticed(change(stackFile()));
      const { sent, slowest, retransmitted } = summaryOf(attempts);
      t.diagnostic(
        `${sent} requests, slowest ${slowest} ms, ${retransmitted} over 900 ms, client at most ${Math.round(lag)} ms late`,
      );
      assert.ok(mastership.handovers > 0, "the active load balancer was changed too");
    });
  }
});

function slower(file: StackFile): StackFile {
  return file.set("vrrp", { advertInterval: 2 }).set("services.web.healthCheck", "/healthz?by=haproxy");
}
