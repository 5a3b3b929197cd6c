import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Cluster, Family } from "../../harness/cluster";
import { fromClient } from "../../harness/http";
import { type Rollout, underTraffic } from "../../harness/rollout";
import { clientCommand, LAB } from "../../operate/lab/lab";
import { failuresOf, summaryOf } from "../../operate/traffic/summary";
import { temporaryFolder } from "../support/folder";
import { CERTIFICATE } from "../support/specs";
import { record } from "../support/table";
import type { Seen } from "../witnesses/lines";
import { databaseSession, holders } from "../witnesses/orders";
import { RELEASE } from "../witnesses/release";
import { Witnesses } from "../witnesses/witnesses";
import { CLIENT, cluster, lab } from "./support";

/** New connections a second and family, half of them HTTPS; less where a machine doesn't carry it, which the result then says. */
const RATE = Number(process.env.HA_CLUSTER_RATE ?? 200);

/** A row of {@link throughout}'s table. */
export interface Row {
  /** As the table has it. */
  name: string;
  /** The cluster as it is before; as all tests have it unless given. */
  of?: Cluster;
  /** The application server that holds the database session; one that stays. */
  session?: string;
  /** How many servers of each kind stop for good or for a while: what is open there for longer than a minute is cut (docs/rollouts.md). */
  stops?: { loadBalancers?: number; databases?: number; appServers?: number; session?: number };
}

/**
 * Makes a change while clients never stop asking, by content, and while downloads, WebSockets, kept connections and a session
 * of the database are open. No request may fail, and none of those may break more often than a server stops that it leads through.
 */
export async function throughout(t: TestContext, row: Row, change: () => Promise<string>): Promise<Rollout> {
  const { name, of = cluster, session = "test-app-dc2-1", stops = {} } = row;
  const folder = temporaryFolder();
  const token = "written-before";
  const says = (family: Family): string => `release=${RELEASE} row=${token} client=${CLIENT[family]} `;
  const caFile = join(folder.path, "ca.pem");
  writeFileSync(caFile, CERTIFICATE);
  const { status } = await fromClient(lab, of.url("ipv4", `/rows/${token}`), { method: "PUT" });
  assert.equal(status, 201);
  const path = `/content/${token}`;
  const witnesses = holders(new Witnesses(), of, path, says, clientCommand);
  databaseSession(witnesses, (script) => [LAB, ["ssh", "--project", of.facts.project, session, script]]);
  try {
    await witnesses.begun();
    const options = { families: ["ipv4", "ipv6"] as const, perSecond: RATE / 2, caFile, path, contains: says };
    const rollout = await underTraffic(of, options, change);
    const seen = await witnesses.stop();
    const failures = failuresOf(rollout.attempts);
    const { sent, failed, slowest, retransmitted } = summaryOf(rollout.attempts);
    const result = {
      row: name,
      rate: RATE,
      seconds: rollout.seconds,
      ...{ sent, failed, slowest, retransmitted },
      late: Math.round(rollout.lag),
      handovers: rollout.mastership.handovers,
      failures,
      seen,
    };
    for (const line of record(result)) t.diagnostic(line);
    assert.deepEqual(failures, []);
    assertHeld(seen, stops);
    return rollout;
  } finally {
    await witnesses.stop();
    folder.remove();
  }
}

function assertHeld(
  seen: readonly Seen[],
  { loadBalancers = 0, databases = 0, appServers = 0, session = 0 }: Row["stops"] & {},
): void {
  for (const { witness, breaks, refused, beats } of seen) {
    const meant = { download: loadBalancers + appServers, socket: loadBalancers + appServers, kept: 0 };
    const most = { ...meant, session: loadBalancers + databases + session }[/^\w+/.exec(witness)![0]]!;
    const told = breaks.map(({ at, error, age }) => `${new Date(at).toISOString()} after ${age} ms: ${error}`);
    assert.ok(beats > 0, `${witness} was never open`);
    assert.ok(
      breaks.length <= most,
      `${witness} broke ${breaks.length} times, at most ${most} are meant: ${told.join("; ")}`,
    );
    assert.deepEqual(refused, [], `${witness} comes back at once`);
  }
}
