import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { localRepository } from "../../harness/packages";
import { until } from "../../operate/poll";
import { Application, PASSWORD, appFiles, assertDone } from "./harness/application";
import { bootDatabases, databaseFiles, databaseSecrets, HOSTS, letFound } from "./harness/databases";
import type { Machine } from "./harness/machine";
import { Site } from "./harness/site";

/* Databases and applications that stop on purpose, for a farewell or an update, and serve again. */

let site: Site;
let databases: Machine[];
let app: Machine;
let application: Application;

before(async () => {
  site = Site.open();
  databases = await bootDatabases(site);
  application = await Application.boot(site);
  app = application.machine;
  await letFound(databases[0]!);
  for (const [index, machine] of databases.entries()) {
    assertDone(await machine.push("database", "secrets", databaseSecrets(PASSWORD)));
    assertDone(await machine.push("database", "files", databaseFiles(HOSTS[index]!)));
  }
  await application.serve();
});
after(() => site.close());

const status = (host: number): Promise<string> => application.status(host);
const ask = (path: string): Promise<string> => application.ask(path);

test("who says farewell stops only while the others are synced, and the next push has it serve again", async () => {
  const [db1, db2] = databases as [Machine, Machine];
  await db2.output("systemctl stop mariadb");
  const refused = await db1.run("/opt/ha-cluster/farewell.sh database");
  assert.notEqual(refused.code, 0);
  assert.match(
    refused.stderr,
    /this database is about to go, and 198\.51\.100\.212 is not synced: .*Heal 198\.51\.100\.212 first/s,
  );
  assert.match(await status(211), /200 OK/);
  await db2.output("systemctl start mariadb");
  await until(
    "db2 is synced",
    () => status(212),
    (answer) => answer.includes("200 OK"),
    { seconds: 60 },
  );

  assert.match(assertDone(await db1.run("/opt/ha-cluster/farewell.sh database")).stdout, /serves no more/);
  assert.equal(await db1.output("systemctl is-active mariadb || :"), "inactive");
  assert.match(await status(211), /503/);
  await db2.output("mkdir -p /run/ha-cluster && touch /run/ha-cluster/leaving");
  const again = await db1.run("/opt/ha-cluster/farewell.sh database");
  await db2.output("rm /run/ha-cluster/leaving");
  assert.match(again.stderr, /198\.51\.100\.212 is not synced/, "also where MariaDB was stopped before");
  await until(
    "who may not go after all to serve again",
    () => status(211),
    (answer) => answer.includes("200 OK"),
    { seconds: 60 },
  );
  assert.match(assertDone(await db1.run("/opt/ha-cluster/farewell.sh database")).stdout, /serves no more/);
  assert.match(
    assertDone(await db1.push("database", "files", databaseFiles(211))).stdout,
    /serves again.*in force again/s,
  );
  assert.match(await status(211), /200 OK/);
});

test("an application answers as long as one of its threads is free, whichever worker's it is", async () => {
  const peer = databases[1]!;
  // Each has a thread for itself until its request is whole.
  const open = `for fd in 11 12 13 14 15 16 17; do eval "exec $fd<>/dev/tcp/198.51.100.221/8000"; printf 'GET /healthz HTTP/1.0\\r\\n' >&$fd; sleep 0.2; done
touch /run/busy; while [ -e /run/busy ]; do sleep 0.1; done`;
  const busy = peer.run(`bash -c "$(cat <<'END'\n${open}\nEND\n)"`);
  await until(
    "seven of its eight threads to be busy",
    () => peer.run("test -e /run/busy"),
    ({ code }) => code === 0,
  );
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask("/healthz").catch(String)));
  await peer.output("rm /run/busy");
  await busy;
  for (const answer of answers) assert.match(answer, /200$/);
});

test("an application that says farewell refuses new connections, answers those it has, and comes back", async () => {
  const open = `exec 3<>/dev/tcp/198.51.100.221/8000; touch /run/opened; while [ ! -e /run/ask ]; do sleep 0.1; done
printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3; timeout 10 cat <&3`;
  const peer = databases[1]!;
  const held = peer.run(`bash -c "$(cat <<'END'\n${open}\nEND\n)"`);
  await until(
    "the connection is open",
    () => peer.run("test -e /run/opened"),
    ({ code }) => code === 0,
  );
  const farewell = app.run("/opt/ha-cluster/farewell.sh app-server");
  await until(
    "a new connection is refused",
    () => peer.run("bash -c 'exec 3<>/dev/tcp/198.51.100.221/8000'"),
    ({ text }) => text.includes("Connection refused"),
  );
  assert.equal(await app.output("systemctl is-active app"), "active");
  await peer.output("touch /run/ask");
  assert.match((await held).stdout, /200 OK.*"server":"app1"/s);
  assert.match(assertDone(await farewell).stdout, /serves no more/);
  assert.equal(await app.output("systemctl is-active app || :"), "inactive");
  assert.match(assertDone(await app.push("app-server", "files", appFiles())).stdout, /serves again/);
  assert.match(await ask("/healthz"), /200$/);
  assert.equal(await app.output("nft list tables | grep leaving || :"), "");
});

test("MariaDB is updated only while the others are synced; its package does not start it, and it joins again", async () => {
  const [db1, db2] = databases as [Machine, Machine];
  const version = (): Promise<string> => db1.output("dpkg-query -W -f='${Version}' mariadb-server");
  const [before, process] = [await version(), "systemctl show -p MainPID --value mariadb"];
  await db1.output(localRepository([{ package: "mariadb-server", suffix: "+next" }]));
  assert.match((await db1.patch("database", "look")).stdout, new RegExp(`^update mariadb-server .* other$`, "m"));

  await db2.output("systemctl stop mariadb");
  const pid = await db1.output(process);
  const refused = await db1.patch("database", "run", "needed");
  assert.equal(refused.code, 1, refused.text);
  assert.match(refused.stderr, /198\.51\.100\.212 is not synced/);
  assert.deepEqual([await db1.output(process), await version()], [pid, before]);
  await db2.output("systemctl start mariadb");
  await until(
    "db2 is synced",
    () => status(212),
    (answer) => answer.includes("200 OK"),
    { seconds: 60 },
  );

  const began = await db1.output("date +%s");
  const done = assertDone(await db1.patch("database", "run", "needed"));
  assert.match(done.stdout, /serves no more.*updated.*mariadb: joined and synced.*3 nodes.*serves again/s);
  assert.equal(await version(), `${before}+next`);
  assert.equal(await db1.output(`journalctl -q -o cat -u mariadb --since=@${began} | grep -c '^Starting ' || :`), "1");
  assert.match(await status(211), /200 OK/);
  assert.equal((await db1.patch("database", "serves")).code, 0);
  await db1.output("systemctl stop mariadb");
  const away = await db1.patch("database", "serves");
  await db1.output("systemctl start mariadb");
  assert.equal(away.code, 1);
  assert.match(away.stderr, /MariaDB is inactive, and not synced/);
});

test("an application server is updated while nobody asks it, and answers again", async () => {
  await app.output(localRepository([{ package: "gunicorn", suffix: "+next" }]));
  const done = assertDone(await app.patch("app-server", "run", "needed"));
  assert.match(done.stdout, /serves no more.*updated.*app: answers.*serves again/s);
  assert.match(await app.output("dpkg-query -W -f='${Version}' gunicorn"), /\+next$/);
  assert.match(await ask("/healthz"), /200$/);
  assert.equal((await app.patch("app-server", "serves")).code, 0);
});
