import assert from "node:assert/strict";
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { run } from "../../../operate/exec";
import { type Ask, textOf } from "../../../preflight/differences";
import { file } from "../../../render/bundle";
import { temporaryFolder } from "../../support/folder";

const folder = temporaryFolder();
after(() => folder.remove());

/** This machine in place of a host, with paths in a folder of the test; in UTF-8, as most hosts are. */
const env = { ...process.env, LC_ALL: "C.UTF-8" };
const here: Ask = (script, input = "") => run("sh", ["-c", script], { input, env });

function found(name: string, text: string | Buffer): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  chmodSync(path, 0o640);
  return path;
}

test("a file found is compared, a new one is shown, a secret one is named", async () => {
  const changed = found("keepalived.conf", "vrrp_instance EXTERN {\n     state EQUAL\n}\n");
  const pem = found("www.pem", "a key\n");
  const [added, absent] = [join(folder.path, "vips"), join(folder.path, "password.conf")];
  const files = [
    file(changed, "vrrp_instance EXTERN {\n    state BACKUP\n}\n"),
    file(added, "eth0 203.0.113.100/24\n"),
  ];
  const text = await textOf(here, files, [absent, pem]);
  const [rights, ...rest] = text.split("\n");
  assert.match(rights!, /keepalived\.conf \(found\): 640 \S+:\S+, becomes 644 root:root$/);
  assert.deepEqual(rest, [
    `--- ${changed} (found)`,
    `+++ ${changed}`,
    ...["@@ -1,3 +1,3 @@", " vrrp_instance EXTERN {", "-     state EQUAL", "+    state BACKUP", " }"],
    ...["--- /dev/null", `+++ ${added}`, "@@ -0,0 +1 @@", "+eth0 203.0.113.100/24"],
    `${absent} (secret): new`,
    `${pem} (secret): takes the place of the one found`,
    "",
  ]);
  assert.equal(readFileSync(changed, "utf8"), "vrrp_instance EXTERN {\n     state EQUAL\n}\n");
});

test("no password of the files found is shown", async () => {
  const lines = [
    "        auth_pass hunter2",
    "    stats  auth admin:hunter2",
    "    user ops insecure-password hunter2",
    "    user ops password $5$hunter2 groups ops",
    '    setenv STATS_PASSWORD "hunter2"',
    "$AUTH_PASS=hunter2",
    "    http-check send hdr Authorization Basic\\ hunter2",
    "    # password: hunter2",
  ];
  // A byte that is no UTF-8, as an editor of that time wrote it.
  const path = found("old.cfg", Buffer.from(`${lines.join("\n")}\n auth_pass h\xe9 hunter2\n`, "latin1"));
  const text = await textOf(here, [file(path, "")], []);
  assert.equal(text.match(/^-.*\*\*\*$/gm)?.length, lines.length + 1);
  assert.doesNotMatch(text, /hunter2/);
});

test("a link is said to be one, and what can't be compared is an error", async () => {
  const target = found("haproxy-2019.cfg", "global\n");
  const link = join(folder.path, "haproxy.cfg");
  symlinkSync(target, link);
  assert.equal(
    await textOf(here, [file(link, "global\n")], []),
    `${link} (found): a link to ${target}, becomes a file\n`,
  );
  await assert.rejects(textOf(here, [file(folder.path, "global\n")], []), /directory/);
});
