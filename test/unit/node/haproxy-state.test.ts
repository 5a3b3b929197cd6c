import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { ROOT } from "../../../operate/lab/places";
import { temporaryFolder } from "../../support/folder";

const folder = temporaryFolder();
after(() => folder.remove());

const NODE = join(ROOT, "node");

/** The columns of "show servers state": haproxy 2.2's, and what 2.4 added. */
const COLUMNS =
  "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord";
const MORE_COLUMNS = " srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port";

const KNOWN = [
  "3 database 1 db1 198.51.100.21 2 0 1 1 9 15 3 3 6 0 0 0 - 3306 -",
  "3 database 2 db2 198.51.100.22 0 0 1 1 9 8 2 0 6 0 0 0 - 3306 -",
  "4 web 1 app1 198.51.100.31 2 0 1 1 9 15 3 3 6 0 0 0 - 8080 -",
];

const CONFIG = `backend database
    server db1 198.51.100.21:3306 check port 9300 inter 2s
    server db2 198.51.100.22:3306 check port 9300 inter 2s backup
backend web
    server app1 198.51.100.31:9000 check
    server app2 198.51.100.32:9000 check
`;

function sh(script: string): string {
  const start = `STATE=${folder.path}; . ${join(NODE, "roles", "haproxy-state.sh")}`;
  const { stdout, stderr, status } = spawnSync("sh", ["-ec", `${start}; ${script}`], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

function knownServers(header: string, lines: string[]): string[] {
  const [state, config] = ["state", "config"].map((name) => join(folder.path, name));
  writeFileSync(state!, `1\n# ${header}\n${lines.join("\n")}\n\n`);
  writeFileSync(config!, CONFIG);
  const [version, columns, ...servers] = sh(`known_servers ${state!} ${config!}`).trimEnd().split("\n");
  assert.deepEqual([version, columns], ["1", `# ${header}`]);
  return servers;
}

describe("what haproxy knows of its servers, over a reload", () => {
  const told = [
    KNOWN[0]!,
    KNOWN[1]!,
    KNOWN[2]!.replace("8080", "9000"),
    "4 web 2 app2 198.51.100.32 0 0 1 1 9 15 2 0 6 0 0 0 - 9000 -",
  ];

  test("who is down stays down, and who comes is", () => assert.deepEqual(knownServers(COLUMNS, KNOWN), told));

  test("checks ask where the new file says, which a remembered port would hide", () => {
    const more = (line: string, port: number): string => `${line} 0 ${port} 198.51.100.99 198.51.100.99 ${port}`;
    const known = KNOWN.map((line) => more(line, 9200));
    assert.deepEqual(
      knownServers(COLUMNS + MORE_COLUMNS, known),
      told.map((line) => `${line} 0 0 - - 0`),
    );
  });
});

test("new files are judged without what a push that was killed in its reload remembered", () => {
  const remembered = join(folder.path, "haproxy-servers");
  for (const text of [`1\n# ${COLUMNS}\n${KNOWN.join("\n")}\n`, "1\n"]) {
    writeFileSync(remembered, text);
    const stubs = 'in_view() { :; }; understands() { :; }; judge() { cp "$HAPROXY_SERVERS" "$STATE/judged"; }';
    sh(`INCOMING=$STATE; . ${join(NODE, "push", "validate.sh")}; ${stubs}; validate_haproxy`);
    assert.equal(readFileSync(join(folder.path, "judged"), "utf8"), "1\n");
  }
});
