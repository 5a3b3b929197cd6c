import assert from "node:assert/strict";
import { until } from "../../../operate/poll";
import { fixture } from "./bundles";
import type { Machine } from "./machine";
import type { Result } from "./shell";
import type { Site } from "./site";

/** Their last numbers, in the order of their names; the last one founds the cluster. */
export const HOSTS = [211, 212, 213] as const;

export const address = (host: number): string => `198.51.100.${host}`;

export const databaseFiles = (host: number): string => fixture("database.files", { HOST: `${host}` });

export const databaseSecrets = (password: string): string => fixture("database.secrets", { PASSWORD: password });

/** A database server as the cloud makes it: fresh, with its address, before any push. */
export async function bootDatabase(site: Site, name: string, host: number, enabled: string[] = []): Promise<Machine> {
  const machine = await site.boot(name, ["internal"], enabled);
  // What cloud-init would have set: the first push asks its peers whether there is a cluster.
  await machine.output(`ip addr add ${address(host)}/26 dev eth0`);
  return machine;
}

export const bootDatabases = (site: Site): Promise<[Machine, Machine, Machine]> =>
  Promise.all([
    bootDatabase(site, "db1", HOSTS[0]),
    bootDatabase(site, "db2", HOSTS[1]),
    bootDatabase(site, "db3", HOSTS[2]),
  ]);

/** What the first build of a stack does on one machine; see components/remote.ts. */
export const letFound = (machine: Machine): Promise<string> => machine.output("/opt/ha-cluster/galera-founding.sh");

export async function pushDatabase(machine: Machine, host: number): Promise<Result> {
  const secrets = await machine.push("database", "secrets", databaseSecrets("a password of the tests"));
  assert.equal(secrets.code, 0, secrets.text);
  return machine.push("database", "files", databaseFiles(host));
}

export function assertDone(result: Result): Result {
  assert.equal(result.code, 0, result.text);
  return result;
}

/** Nothing was started, no file came; the words that name the mend. */
export function assertRefused(result: Result, ...words: RegExp[]): void {
  assert.notEqual(result.code, 0, result.text);
  assert.match(result.stderr, /nothing was touched/);
  for (const word of words) assert.match(result.stderr, word);
}

export const mainPid = (machine: Machine): Promise<string> =>
  machine.output("systemctl show -p MainPID --value mariadb");

export async function synced(machine: Machine, nodes: number, seconds = 60): Promise<void> {
  const ask = `mariadb -N -e "SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_size', 'wsrep_local_state_comment')" | sort`;
  await until(
    `${machine.name} is synced, with ${nodes} nodes`,
    () => machine.output(ask),
    (said) => said === `wsrep_cluster_size\t${nodes}\nwsrep_local_state_comment\tSynced`,
    { seconds },
  );
}

/** Rows that were acknowledged, one transaction each. */
export async function write(machine: Machine, rows: number): Promise<void> {
  const inserts = "INSERT INTO app.rows_of_tests () VALUES ();\n".repeat(rows);
  const table = "CREATE TABLE IF NOT EXISTS app.rows_of_tests (i BIGINT AUTO_INCREMENT PRIMARY KEY);\n";
  const result = await machine.run("mariadb", table + inserts);
  assert.equal(result.code, 0, result.text);
}

export const count = async (machine: Machine): Promise<number> =>
  Number(
    await machine.output("mariadb -N -e 'SET SESSION wsrep_sync_wait = 1; SELECT COUNT(*) FROM app.rows_of_tests'"),
  );

/** UUID:SEQNO of a node that has stopped. */
export const position = (machine: Machine): Promise<string> =>
  machine.output("sed -n 's/^uuid: *//p; s/^seqno: *//p' /var/lib/mysql/grastate.dat | paste -s -d :");

/** The steps of docs/recover.md on the node that has the newest data. */
export async function foundByHand(machine: Machine): Promise<void> {
  await machine.output(`systemctl stop mariadb; systemctl reset-failed mariadb || :; rm -f /var/lib/mysql/gvwstate.dat
sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' /var/lib/mysql/grastate.dat; galera_new_cluster`);
}

export const journal = (machine: Machine, unit: string): Promise<string> =>
  machine.output(`journalctl -q -b -o cat -u ${unit}`);

/** Its rows, while it runs for nobody but the one who looks at them; the steps of docs/recover.md. */
export async function rowsOfRefused(machine: Machine): Promise<number> {
  const dump = await machine.output(`socket=/run/mysqld/alone.sock
mariadbd --user=mysql --wsrep_on=OFF --wsrep_provider=none --skip-networking --socket=$socket >/dev/null 2>&1 &
for _ in $(seq 100); do mariadb-admin --socket=$socket ping >/dev/null 2>&1 && break; sleep 0.2; done
mariadb-dump --socket=$socket --all-databases --single-transaction --skip-extended-insert | grep '^INSERT INTO .rows_of_tests.'
mariadb-admin --socket=$socket shutdown
wait`);
  return dump.split("\n").length;
}
