import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../../operate/poll";
import {
  assertDone,
  bootDatabases,
  count,
  databaseFiles,
  HOSTS,
  letFound,
  mainPid,
  pushDatabase,
  synced,
  write,
} from "./harness/databases";
import type { Machine } from "./harness/machine";
import { must, type Result } from "./harness/shell";
import { Site } from "./harness/site";

let site: Site;
let donor: Machine, joiner: Machine;

/** So slow that a state transfer of 130 MB lasts some 40 s: longer than a push in these tests waits without any progress. */
const RATE = "28mbit";

before(async () => {
  site = Site.open();
  // Nodes ask all others; the third one is never pushed to.
  [donor, joiner] = await bootDatabases(site);
  await letFound(donor);
  assertDone(await pushDatabase(donor, HOSTS[0]));
  await write(donor, 30);
  must(
    ...["tc", "-n", donor.namespace, "qdisc", "add", "dev", "eth0", "root", "tbf"],
    ...["rate", RATE, "burst", "64kb", "latency", "500ms"],
  );
});
after(() => site.close());

const limits = (machine: Machine, seconds: { sync: number; join: number }): Promise<string> =>
  machine.output(`sed -i -e 's/^SYNC_SECONDS=[0-9]*/SYNC_SECONDS=${seconds.sync}/' \\
    -e 's/^JOIN_SECONDS=[0-9]*/JOIN_SECONDS=${seconds.join}/' /opt/ha-cluster/galera-sync.sh`);

test("a join that takes longer than a push may goes on by itself, and the next push waits for it", async () => {
  await limits(joiner, { sync: 12, join: 25 });
  const cut = await pushDatabase(joiner, HOSTS[1]);
  assert.notEqual(cut.code, 0);
  assert.match(
    cut.stderr,
    /not finished after .*\n.*still getting the cluster's data.*goes on by itself; run up again/,
  );
  assert.doesNotMatch(cut.text, /previous files are back/);
  const pid = await mainPid(joiner);
  assert.notEqual(pid, "0");

  await limits(joiner, { sync: 12, join: 200 });
  const done = assertDone(await joiner.push("database", "files", databaseFiles(HOSTS[1])));
  assert.match(done.stdout, /a state transfer is under way, from before this push/);
  assert.equal(await mainPid(joiner), pid);
  await synced(joiner, 2);
  assert.equal(await count(joiner), 30);
});

/** All of its data gone, so that it has to get it again; ready when that has begun. */
async function joinAgain(): Promise<{ push: Promise<Result> }> {
  await joiner.output(`systemctl stop mariadb; systemctl reset-failed mariadb || :
rm -r /var/lib/mysql/*; mariadb-install-db --user=mysql >/dev/null`);
  const push = joiner.push("database", "files", databaseFiles(HOSTS[1]));
  const begun = "pgrep -f '[w]srep_sst_rsync --role joiner' && pgrep -f '[r]sync_sst' || :";
  await until("the transfer runs", () => joiner.output(begun), Boolean, { seconds: 60 });
  return { push };
}

test("a push that is stopped from outside leaves the join running", async () => {
  const { push } = await joinAgain();
  const pid = await mainPid(joiner);
  await joiner.output("kill $(pgrep -f '[t]imeout -k 10 300 /opt/ha-cluster/push.sh')");
  assert.notEqual((await push).code, 0);
  assert.doesNotMatch((await push).text, /previous files are back/);
  assert.equal(await mainPid(joiner), pid);
  await synced(joiner, 2, 120);
  assert.equal(await count(joiner), 30);
});

test("a join that stands still is given up, and the next push begins another", async () => {
  const { push } = await joinAgain();
  await donor.output(
    "nft 'table inet stall { chain output { type filter hook output priority 0; tcp dport 4444 drop; }; }'",
  );
  const given = await push;
  assert.notEqual(given.code, 0);
  assert.match(
    given.stderr,
    /nothing has moved for 12 s(.*\n)*The state transfer was stopped; the next push starts another/,
  );
  assert.equal(await mainPid(joiner), "0");
  assert.match(await donor.output("mariadb -N -e \"SHOW STATUS LIKE 'wsrep_cluster_status'\""), /\tPrimary$/);
  await donor.output("nft delete table inet stall");
  await until(
    "the donor serves again",
    () => donor.output("mariadb -N -e \"SHOW STATUS LIKE 'wsrep_local_state'\""),
    (said) => said.endsWith("\t4"),
    { seconds: 90 },
  );
  assertDone(await joiner.push("database", "files", databaseFiles(HOSTS[1])));
  assert.equal(await count(joiner), 30);
});
