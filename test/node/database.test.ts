import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { localRepository } from "../../harness/packages";
import { edit, fixture, sampleApp } from "./harness/bundles";
import { letServeSample } from "./harness/apps";
import { address, bootDatabase, databaseFiles, databaseSecrets, HOSTS, letFound } from "./harness/databases";
import type { Machine } from "./harness/machine";
import { until } from "../../operate/poll";
import type { Result } from "./harness/shell";
import { Site } from "./harness/site";

/** With what an SQL string, a shell and a sed expression could trip over. */
const PASSWORD = `Pass'word"$&\\7`;

/** In an EnvironmentFile, systemd.exec(5). */
const environment = (value: string) => `"${value.replaceAll(/["\\$`]/g, "\\$&")}"`;
const appFiles = (sample = sampleApp()) =>
  fixture("app-server.files", { DATABASE: address(211), SAMPLE: sample.trimEnd() });

interface Visit {
  server: string;
  client: { realIp: string };
  database: { server: string; written: string; read: string };
}

let site: Site;
let databases: Machine[];
let app: Machine;

before(async () => {
  site = Site.open();
  // On the first one MariaDB already runs alone, as after an installation by hand.
  databases = await Promise.all(
    HOSTS.map((host, index) => bootDatabase(site, `db${index + 1}`, host, index === 0 ? ["mariadb"] : [])),
  );
  app = await site.boot("app1", ["internal"]);
  await app.output(`ip addr add ${address(221)}/26 dev eth0`);
});
after(() => site.close());

function assertDone(result: Result): Result {
  assert.equal(result.code, 0, result.text);
  assert.ok(!result.text.includes(PASSWORD), "the password shows");
  return result;
}

/** The status service's answer, as haproxy in another machine gets it. */
async function status(host: number): Promise<string> {
  return (await app.run(`curl -si --max-time 5 http://${address(host)}:9200/`)).stdout.replaceAll("\r", "");
}

function ask(path: string, ...options: string[]): Promise<string> {
  return app.output(`curl -s --max-time 10 -w ' %{http_code}' ${options.join(" ")} http://198.51.100.221:8000${path}`);
}

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
  assertDone(
    await app.push("app-server", "secrets", fixture("app-server.secrets", { PASSWORD: environment(PASSWORD) })),
  );
  await letServeSample(app);
  assertDone(await app.push("app-server", "files", appFiles()));
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
  assert.match((await held).stdout, /200 OK.*"release":"next"/s);
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
