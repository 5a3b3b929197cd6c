import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { ROOT } from "../../../operate/lab/places";
import { temporaryFolder } from "../../support/folder";

const folder = temporaryFolder();
after(() => folder.remove());

/** Runs the script as it is, but for the folder that it writes to; says which state is kept, and whether as master. */
function notify(state: string): [state: string, master: boolean] {
  const text = readFileSync(join(ROOT, "node", "keepalived", "notify.sh"), "utf8");
  const script = text.replaceAll("/run/ha-cluster", folder.path);
  spawnSync("sh", ["-s", "--", "GROUP", "VG_1", state, "100"], { input: script });
  const kept = readFileSync(join(folder.path, "group-VG_1"), "utf8").trim();
  return [kept, existsSync(join(folder.path, "master"))];
}

test("a notify that was overtaken by a later one changes nothing", () => {
  const order = join(folder.path, "notify-VG_1");
  assert.deepEqual(notify("MASTER"), ["MASTER", true]);
  assert.deepEqual(notify("BACKUP"), ["BACKUP", false]);
  // As if the last one to get the lock had been started after those that follow.
  const [ticks, pid] = readFileSync(order, "utf8").trim().split(" ").map(Number);
  writeFileSync(order, `${ticks! + 1_000_000} ${pid!}\n`);
  assert.deepEqual(notify("MASTER"), ["BACKUP", false]);
  writeFileSync(order, `${ticks!} ${pid!}\n`);
  assert.deepEqual(notify("MASTER"), ["MASTER", true]);
});
