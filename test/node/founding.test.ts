import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../../operate/poll";
import { edit } from "./harness/bundles";
import {
  address,
  assertDone,
  assertRefused,
  bootDatabase,
  bootDatabases,
  count,
  databaseFiles,
  foundByHand,
  HOSTS,
  journal,
  letFound,
  mainPid,
  position,
  pushDatabase,
  synced,
  write,
} from "./harness/databases";
import type { Machine } from "./harness/machine";
import { Site } from "./harness/site";

let site: Site;
let databases: [Machine, Machine, Machine];
let made = 3;

before(async () => {
  site = Site.open();
  databases = await bootDatabases(site);
});
after(() => site.close());

/** Deleted in the cloud, and made anew by Pulumi: the same address, an empty disk. */
async function replaceFounder(): Promise<Machine> {
  databases[2].powerOff();
  made += 1;
  databases[2] = await bootDatabase(site, `db${made}`, HOSTS[2]);
  return databases[2];
}

const MARK = "ls /var/lib/ha-cluster/may-found 2>/dev/null || :";
const SECTION = /See docs\/recover\.md of ha-cluster, "No database runs"/;

test("no machine founds the cluster but one that was given leave, once", async () => {
  const [first, second, founder] = databases;
  assertRefused(await pushDatabase(founder, HOSTS[2]), /only the first build of a stack founds a cluster/, SECTION);
  assert.match(await letFound(founder), /may found the cluster of databases, once/);
  assert.match(assertDone(await pushDatabase(founder, HOSTS[2])).stdout, /started the cluster/);
  assert.equal(await founder.output(MARK), "");
  assert.match(await letFound(founder), /has been in a cluster, and founds no other/);
  assert.equal(await founder.output(MARK), "");
  for (const [index, machine] of [first, second].entries()) {
    assert.match(assertDone(await pushDatabase(machine, HOSTS[index]!)).stdout, /joined and synced/);
  }
});

test("a machine as the version before pushed to it gets what is new, and its MariaDB runs on", async () => {
  const [first] = databases;
  const before = await mainPid(first);
  const [guard, rest] = [/^==> \/etc\/systemd\/system\/mariadb\.service\.d.*\n.*\n.*\n/m, databaseFiles(HOSTS[0])];
  const old = edit(rest.replace(guard, ""), "NODE=", "BOOTSTRAP=yes\nNODE=");
  assertDone(await first.push("database", "files", old));
  assert.equal(await first.output("systemctl show -p ExecStartPre --value mariadb"), "");
  assertDone(await first.push("database", "files", databaseFiles(HOSTS[0])));
  assert.match(await first.output("systemctl show -p ExecStartPre --value mariadb"), /galera-guard\.sh start/);
  assert.equal(await mainPid(first), before);
});

test("a founder made anew while MariaDB is stopped on the others founds nothing, and no row goes", async () => {
  const [first, second] = databases;
  await write(databases[2], 100);
  await first.output("systemctl stop mariadb");
  await write(second, 20);
  await second.output("systemctl stop mariadb");
  const [ofFirst, ofSecond] = [await position(first), await position(second)];

  const fresh = await replaceFounder();
  const has = (host: number, what: string): RegExp => new RegExp(`${address(host)} has ${what}$`, "m");
  const words = [/it has no data, and \S+\.211 \S+\.212 has/, has(HOSTS[0], ofFirst), has(HOSTS[1], ofSecond), SECTION];
  assertRefused(await pushDatabase(fresh, HOSTS[2]), ...words);
  assert.match(await fresh.output("systemctl is-active mariadb || :; ls /etc/ha-cluster"), /^inactive\nsecrets$/);
  // Nor with leave from a state that was lost.
  await letFound(fresh);
  assertRefused(await pushDatabase(fresh, HOSTS[2]), ...words);
  // The one that left earlier is not taken for the newest.
  const older = await first.push("database", "files", databaseFiles(HOSTS[0]));
  assert.notEqual(older.code, 0);
  assert.match(older.stderr, /198\.51\.100\.212 has more of the same data/);

  await foundByHand(second);
  await first.output("systemctl start mariadb");
  await synced(first, 2);
  assertDone(await pushDatabase(fresh, HOSTS[2]));
  for (const machine of databases) assert.equal(await count(machine), 120);
  assert.equal(await fresh.output(MARK), "");
});

test("when the last to leave is lost, the others wait at their boot and say what each has", async () => {
  const [first, second] = databases;
  await write(first, 10);
  for (const machine of databases) await machine.output("systemctl stop mariadb");
  const known = [await position(first), await position(second)];
  const fresh = await replaceFounder();
  for (const machine of [first, second]) machine.powerOff();
  await Promise.all([first.powerOn(), second.powerOn()]);

  assertRefused(await pushDatabase(fresh, HOSTS[2]), /it has no data, and/, SECTION);
  const told = await until(
    "galera-boot says why it waits",
    () => journal(second, "galera-boot"),
    // Nodes find their position one by one, and it says so anew.
    (said) => SECTION.test(said) && known.every((what) => said.includes(what)),
    { seconds: 90 },
  );
  assert.match(told, /was not the last to leave, nor was any other that answers/);
  assert.equal(await first.output("systemctl is-active mariadb || :"), "failed");

  await foundByHand(second);
  await synced(first, 2);
  assertDone(await pushDatabase(fresh, HOSTS[2]));
  for (const machine of databases) assert.equal(await count(machine), 130);
});

test("when all are back that were stopped in turn, the last to leave starts the cluster", async () => {
  for (const machine of databases) await machine.output("systemctl stop mariadb");
  for (const machine of databases) machine.powerOff();
  await Promise.all(databases.map((machine) => machine.powerOn()));
  for (const machine of databases) await synced(machine, 3, 120);
  assert.match(await journal(databases[2], "galera-boot"), /was the last to leave.*starting the cluster/);
  for (const machine of databases) assert.equal(await count(machine), 130);
});
