import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Rollout, underTraffic } from "../../harness/rollout";
import { failuresOf, summaryOf } from "../../operate/traffic/summary";
import { temporaryFolder } from "../support/folder";
import { CERTIFICATE } from "../support/specs";
import type { Cluster } from "../../harness/cluster";
import { cluster } from "./support";

/** Modest, so that a busy machine is no reason for a request to fail; `npm run bench:rollouts` measures with more. */
const PER_SECOND = 10;

/**
 * Makes a change while clients never stop asking over HTTP and HTTPS, IPv4 and IPv6: not one of their requests may fail.
 *
 * @param options.path `/` has each of them write a row and read it back; the application's cheapest unless given
 * @param options.of the cluster as it is before; as all tests have it unless given
 */
export async function unnoticed(
  t: TestContext,
  change: () => Promise<string>,
  { path, of = cluster }: { path?: string; of?: Cluster } = {},
): Promise<Rollout> {
  const folder = temporaryFolder();
  try {
    const caFile = join(folder.path, "ca.pem");
    writeFileSync(caFile, CERTIFICATE);
    const options = {
      families: ["ipv4", "ipv6"] as const,
      perSecond: PER_SECOND,
      caFile,
      ...(path !== undefined && { path }),
    };
    const rollout = await underTraffic(of, options, change);
    const failures = failuresOf(rollout.attempts);
    const { sent, failed, slowest, retransmitted } = summaryOf(rollout.attempts);
    t.diagnostic(
      `${rollout.seconds.toFixed(1)} s; ${failed} of ${sent} requests failed, slowest ${slowest} ms, ${retransmitted} over 900 ms, client at most ${Math.round(rollout.lag)} ms late`,
    );
    assert.deepEqual(failures, []);
    return rollout;
  } finally {
    folder.remove();
  }
}
