import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../../operate/poll";
import {
  assertDone,
  bootDatabases,
  count,
  databaseFiles,
  foundByHand,
  HOSTS,
  journal,
  letFound,
  position,
  pushDatabase,
  rowsOfRefused,
  synced,
  write,
} from "./harness/databases";
import type { Machine } from "./harness/machine";
import { Site } from "./harness/site";

let site: Site;
let first: Machine, second: Machine, third: Machine;

before(async () => {
  site = Site.open();
  [first, second, third] = await bootDatabases(site);
  await letFound(second);
  assertDone(await pushDatabase(second, HOSTS[1]));
  assertDone(await pushDatabase(first, HOSTS[0]));
  await write(first, 50);
});
after(() => site.close());

const SECTION = /See docs\/recover\.md of ha-cluster, "A database refuses to start"/;

/** Push, boot and systemctl alike; MariaDB stays stopped, and its data as it is. */
async function refusesAllStarts(machine: Machine, host: number, ...words: RegExp[]): Promise<void> {
  const before = await machine.output("cat /var/lib/mysql/grastate.dat");
  const told = async (unit: string): Promise<void> => {
    const said = await until(
      `${unit} says why`,
      () => journal(machine, unit),
      (text) => SECTION.test(text),
      { seconds: 60 },
    );
    for (const word of words) assert.match(said, word);
  };
  const pushed = await machine.push("database", "files", databaseFiles(host));
  assert.notEqual(pushed.code, 0);
  for (const word of [SECTION, ...words]) assert.match(pushed.stderr, word);
  assert.notEqual((await machine.run("systemctl start mariadb")).code, 0);
  await told("mariadb");
  await machine.output("touch /var/lib/ha-cluster/galera-joined; systemctl restart galera-boot");
  await told("galera-boot");
  await machine.output("systemctl stop galera-boot");
  assert.notEqual((await machine.run("galera_new_cluster")).code, 0);
  assert.match(await journal(machine, "mariadb"), /a cluster runs already, on 198\.51\.100\.\d+/);
  await machine.output("systemctl reset-failed mariadb");
  assert.equal(await machine.output("cat /var/lib/mysql/grastate.dat"), before);
}

test("a node that crashed and has more transactions than the cluster that runs refuses to join it", async () => {
  await first.output("systemctl stop mariadb");
  await write(second, 30);
  await second.output("systemctl kill -s KILL mariadb; systemctl stop mariadb; systemctl reset-failed mariadb || :");
  assert.match(await position(second), /:-1$/);
  // By hand, and wrong: the other one has more.
  await foundByHand(first);
  assert.equal(await count(first), 50);
  await refusesAllStarts(second, HOSTS[1], /it has transactions up to \d+, and the cluster that runs only up to \d+/);

  await first.output("systemctl stop mariadb");
  await foundByHand(second);
  await first.output("systemctl start mariadb");
  await synced(first, 2);
  for (const machine of [first, second]) assert.equal(await count(machine), 80);
});

test("nodes with data refuse to join a cluster that was founded later", async () => {
  await first.output("systemctl stop mariadb");
  await second.output("systemctl stop mariadb");
  const uuid = (await position(first)).split(":")[0]!;
  // The worst case: those that have the data do not even say so, and somebody gives a third machine leave.
  for (const machine of [first, second]) await machine.output("systemctl stop galera-status.socket");
  await letFound(third);
  assert.match(assertDone(await pushDatabase(third, HOSTS[2])).stdout, /started the cluster/);
  for (const machine of [first, second]) await machine.output("systemctl start galera-status.socket");
  const later = await third.output("mariadb -N -e \"SHOW STATUS LIKE 'wsrep_cluster_state_uuid'\" | cut -f 2");
  assert.notEqual(later, uuid);

  const words = new RegExp(`it has data of cluster ${uuid}, and cluster ${later} runs, which would replace it`);
  await refusesAllStarts(first, HOSTS[0], words);
  assert.notEqual((await second.run("systemctl start mariadb")).code, 0);
  assert.equal(await rowsOfRefused(second), 80);

  await third.output("systemctl stop mariadb");
  // One that waits for a cluster takes the first that comes.
  await first.output("systemctl reset-failed mariadb || :; systemctl start --no-block mariadb");
  await until(
    "db1 waits",
    () => first.output("ss -Hltn"),
    (said) => said.includes(":4567"),
    { seconds: 30 },
  );
  assert.notEqual((await third.run("galera_new_cluster")).code, 0);
  assert.match(await journal(third, "mariadb"), /198\.51\.100\.211 waits for a cluster and would give its own data up/);
  await first.output("systemctl kill -s KILL mariadb; systemctl stop mariadb; systemctl reset-failed mariadb || :");
  await foundByHand(second);
  await first.output("systemctl start mariadb");
  await synced(first, 2);
  assert.notEqual((await third.run("systemctl start mariadb")).code, 0);
  await third.output("rm /var/lib/mysql/grastate.dat; systemctl start mariadb");
  await synced(third, 3);
  for (const machine of [first, second, third]) assert.equal(await count(machine), 80);
});
