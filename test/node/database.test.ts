import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Application, PASSWORD, appFiles, assertDone } from "./harness/application";
import { edit, sampleApp } from "./harness/bundles";
import { address, bootDatabase, databaseFiles, databaseSecrets, HOSTS, letFound } from "./harness/databases";
import type { Machine } from "./harness/machine";
import { until } from "../../operate/poll";
import { Site } from "./harness/site";

interface Visit {
  server: string;
  client: { realIp: string };
  database: { server: string; written: string; read: string };
}

let site: Site;
let databases: Machine[];
let app: Machine;
let application: Application;

before(async () => {
  site = Site.open();
  // On the first one MariaDB already runs alone, as after an installation by hand.
  databases = await Promise.all(
    HOSTS.map((host, index) => bootDatabase(site, `db${index + 1}`, host, index === 0 ? ["mariadb"] : [])),
  );
  application = await Application.boot(site);
  app = application.machine;
});
after(() => site.close());

const status = (host: number): Promise<string> => application.status(host);
const ask = (path: string, ...options: string[]): Promise<string> => application.ask(path, ...options);

test("a first push that fails after it has started the cluster can be repeated", async () => {
  const db1 = databases[0]!;
  await db1.output(`systemd-run -q --unit=squatter python3 -m http.server -b ${address(211)} 9200`);
  await until("the squatter listens", async () => (await db1.output("ss -Hltn")).includes(":9200"), Boolean, {
    seconds: 10,
  });
  await letFound(db1);
  const result = await db1.push("database", "files", databaseFiles(211));
  await db1.output("systemctl stop squatter");
  assert.notEqual(result.code, 0);
  assert.match(
    result.text,
    /started the cluster(.*\n)*.*Address already in use(.*\n)*The previous files are back and applied/,
  );
  assert.equal(await db1.output("systemctl is-active mariadb || :; ls /etc/ha-cluster"), "inactive");
});

test("three machines form a Galera cluster by pushes alone", async () => {
  for (const machine of databases) assertDone(await machine.push("database", "secrets", databaseSecrets(PASSWORD)));
  const started = assertDone(await databases[0]!.push("database", "files", databaseFiles(211)));
  assert.match(started.stdout, /started the cluster/);
  const joins = [1, 2].map((index) => databases[index]!.push("database", "files", databaseFiles(HOSTS[index]!)));
  for (const joined of await Promise.all(joins)) {
    assert.match(assertDone(joined).stdout, /joined and synced after [0-9.]+ s, [23] nodes/);
  }
  assert.equal(
    await databases[0]!.output("mariadb -N -e \"SHOW STATUS LIKE 'wsrep_cluster_size'\""),
    "wsrep_cluster_size\t3",
  );
  for (const machine of databases) {
    assert.equal(await machine.output("systemctl is-enabled mariadb galera-status.socket"), "enabled\nenabled");
  }
});

test("the account exists, and what one node writes another reads", async () => {
  const client = `mariadb --defaults-extra-file=/tmp/client -h ${address(211)} -N app`;
  const options = `[client]\nuser=app\npassword='${PASSWORD.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'\n`;
  await databases[2]!.run("umask 077; cat >/tmp/client", options);
  await databases[2]!.output(`echo 'CREATE TABLE t (i INT PRIMARY KEY); INSERT INTO t VALUES (42);' | ${client}`);
  assert.equal(
    await databases[1]!.output("mariadb -N app -e 'SET SESSION wsrep_sync_wait = 1; SELECT i FROM t'"),
    "42",
  );
});

test("the same pushes again change nothing", async () => {
  const before = await databases[1]!.output("systemctl show -p MainPID --value mariadb");
  assert.match(
    assertDone(await databases[1]!.push("database", "files", databaseFiles(212))).stdout,
    /nothing to change/,
  );
  assert.match(
    assertDone(await databases[1]!.push("database", "secrets", databaseSecrets(PASSWORD))).stdout,
    /nothing to change/,
  );
  assert.equal(await databases[1]!.output("systemctl show -p MainPID --value mariadb"), before);
});

test("a MariaDB that does not answer is left as it is, whatever is pushed", async () => {
  const pid = await databases[1]!.output("systemctl show -p MainPID --value mariadb");
  const text = edit(databaseFiles(212), "meta l4proto icmp accept\n", "meta l4proto icmp accept\n        counter\n");
  await databases[1]!.output("mv /run/mysqld/mysqld.sock /run/mysqld/away");
  try {
    const refused = await databases[1]!.push("database", "files", text);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /nothing was touched(.*\n)*.*has not answered for 20 s; it is left as it is/);
  } finally {
    await databases[1]!.output("mv /run/mysqld/away /run/mysqld/mysqld.sock");
  }
  for (const files of [text, databaseFiles(212)]) assertDone(await databases[1]!.push("database", "files", files));
  assert.equal(await databases[1]!.output("systemctl show -p MainPID --value mariadb"), pid);
});

test("the status service says 200 for a synced node, 503 and why for any other", async () => {
  const ok = await status(212);
  assert.match(
    ok,
    /^HTTP\/1\.1 200 OK\n(.*\n)*Content-Length: \d+\n(.*\n)*\nsynced\nhas [0-9a-f-]{36}:\d+, primary\n$/,
  );
  await databases[1]!.output('echo "SET GLOBAL wsrep_desync = ON" | mariadb');
  assert.match(
    await status(212),
    /^HTTP\/1\.1 503 (.*\n)*not synced: Donor\/Desynced, Primary, ready ON\nhas \S+:\d+, primary\n$/,
  );
  await databases[1]!.output('echo "SET GLOBAL wsrep_desync = OFF" | mariadb');
  await until("db2 is synced", async () => (await status(212)).includes("200 OK"), Boolean, { seconds: 10 });
  await databases[1]!.output("systemctl stop mariadb");
  assert.match(await status(212), /^HTTP\/1\.1 503 (.*\n)*MariaDB does not answer\nhas [0-9a-f-]{36}:\d+, waiting\n$/);
});

test("a change that restarts MariaDB is refused while another node is away, and done when it is back", async () => {
  const text = edit(databaseFiles(213), "skip-name-resolve\n", "skip-name-resolve\nmax_connections = 222\n");
  const refused = await databases[2]!.push("database", "files", text);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /198\.51\.100\.212 is not synced: .*MariaDB does not answer/s);

  await databases[1]!.output("systemctl start mariadb");
  await until("db2 is synced", async () => (await status(212)).includes("200 OK"), Boolean, { seconds: 30 });
  const done = assertDone(await databases[2]!.push("database", "files", text));
  assert.match(done.stdout, /restarted and synced .* 3 nodes/);
  assert.equal(await databases[2]!.output("mariadb -N -e 'SELECT @@max_connections'"), "222");
});

test("an option that MariaDB does not know, and a value that it cannot take, are refused", async () => {
  for (const [line, words] of [
    ["no_such_option = 1", /unknown variable 'no_such_option=1'/],
    ["innodb_flush_log_at_trx_commit = banana", /Error while setting value 'banana'/],
  ] as const) {
    const result = await databases[0]!.push(
      "database",
      "files",
      edit(databaseFiles(211), "skip-name-resolve\n", `skip-name-resolve\n${line}\n`),
    );
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, words);
  }
});

test("an option that only fails at the start is taken back, and the node is synced again", async () => {
  const bad = edit(databaseFiles(211), "libgalera_smm.so", "libgalera_none.so");
  const result = await databases[0]!.push("database", "files", bad);
  assert.notEqual(result.code, 0);
  assert.match(result.stderr, /libgalera_none\.so/);
  assert.match(result.stderr, /previous files are back and applied/);
  assert.match(await status(211), /200 OK/);
});

test("an application server answers, writes and reads", async () => {
  await application.serve();
  assert.equal(await ask("/healthz"), '{"datacenter":"dc1","server":"app1"}\n 200');
  const visit = JSON.parse((await ask("/", "-H 'X-Real-IP: 203.0.113.58'")).replace(/ 200$/, "")) as Visit;
  assert.deepEqual([visit.server, visit.client.realIp, visit.database.server], ["app1", "203.0.113.58", "db1"]);
  assert.equal(visit.database.read, visit.database.written);
  assert.match(await ask("/rows/some.token-1", "-X POST"), /"token":"some.token-1".* 201$/s);
  assert.match(await ask("/rows/some.token-1"), /"token":"some.token-1".* 200$/s);
  assert.match(await ask("/rows/none"), /no such row.* 404$/s);
  assert.match(assertDone(await app.push("app-server", "files", appFiles())).stdout, /nothing to change/);
});

test("without its database it says so, and stays healthy", async () => {
  await databases[0]!.output("systemctl stop mariadb");
  assert.match(await ask("/"), /the database does not answer.* 503$/s);
  assert.match(await ask("/healthz"), /200$/);
  await databases[0]!.output("systemctl start mariadb");
  await until("the application writes again", async () => (await ask("/")).endsWith(" 200"), Boolean, { seconds: 30 });
});

test("a release that does not compile is refused; one that does not load is taken back unseen; a good one is reloaded", async () => {
  const uncompiled = await app.push("app-server", "files", appFiles(`def nothing(:\n${sampleApp()}`));
  assert.match(uncompiled.stderr, /python3 refuses.*SyntaxError/s);
  const process = await app.output("systemctl show -p MainPID --value app");
  const unloadable = await app.push("app-server", "files", appFiles(`import no_such_module\n${sampleApp()}`));
  assert.equal(await app.output("systemctl show -p MainPID --value app"), process);
  assert.match(unloadable.stderr, /No module named 'no_such_module'.*previous files are back and applied/s);
  assert.match(await ask("/healthz"), /200$/);

  const changed = sampleApp().replace("return jsonify(SERVER)", 'return jsonify(release="next")');
  assert.match(assertDone(await app.push("app-server", "files", appFiles(changed))).stdout, /app: reloaded/);
  assert.match(await ask("/healthz"), /"release":"next"/);
});

test("two of three database servers back after a power cut: a push says why it hangs; the third one heals it", async () => {
  databases.forEach((machine) => machine.powerOff());
  await Promise.all(databases.slice(0, 2).map((machine) => machine.powerOn()));
  const result = await databases[0]!.push("database", "files", edit(databaseFiles(211), "skip-name-resolve\n", ""));
  assert.notEqual(result.code, 0);
  assert.match(
    result.stderr,
    /has been 'activating' .*Bring back the missing one.*recover\.md of ha-cluster, "No database runs"/s,
  );

  await databases[2]!.powerOn();
  await until(
    "all are synced",
    async () => {
      const all = await Promise.all(HOSTS.map(status));
      return all.every((answer) => answer.includes("200 OK"));
    },
    Boolean,
    { seconds: 60 },
  );
});
