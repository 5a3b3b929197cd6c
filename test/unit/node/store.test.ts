import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { ROOT } from "../../../operate/lab/places";
import { temporaryFolder } from "../../support/folder";

const folder = temporaryFolder();
after(() => folder.remove());
const state = join(folder.path, "state");
const live = join(folder.path, "live");

function call(...lines: string[]): void {
  const sourced = ["common.sh", "store.sh"].map((name) => `. ${join(ROOT, "node", "push", name)}`);
  // store.sh names its places when it is sourced.
  const script = [sourced[0], `STATE=${state}`, sourced[1], ...lines].join("\n");
  const { status, stderr } = spawnSync("sh", ["-ec", script], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}

test("the way back is there wherever the power is cut while it is renewed", () => {
  mkdirSync(dirname(live), { recursive: true });
  mkdirSync(state);
  writeFileSync(live, "before\n");
  const changes = join(folder.path, "changes");
  writeFileSync(changes, `changed ${live}\n`);
  const keep = `keep_current files ${changes}`;
  call(keep);
  writeFileSync(live, "half done\n");
  call("restore_previous files");
  assert.equal(readFileSync(live, "utf8"), "before\n");

  call(keep);
  renameSync(join(state, "previous", "files"), join(state, "previous", "files.old"));
  writeFileSync(live, "half done\n");
  call("restore_previous files", keep, "restore_previous files");
  assert.equal(readFileSync(live, "utf8"), "before\n");
});
