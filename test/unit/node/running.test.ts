import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { ROOT } from "../../../operate/lab/places";
import { temporaryFolder } from "../../support/folder";

const folder = temporaryFolder();
after(() => folder.remove());

test("the start of a process is told to the hundredth of a second, however long the machine runs", () => {
  const fields = ["S", ...Array<string>(18).fill("0"), "123456789", "0"]; // ticks since boot: two weeks
  writeFileSync(join(folder.path, "stat"), `700 (a) name) ${fields.join(" ")}\n`);
  const running = join(ROOT, "node", "push", "running.sh");
  const { stdout } = spawnSync("sh", ["-ec", `. ${running}; started ..${folder.path}`], { encoding: "utf8" });
  assert.equal(stdout, "1234567.89\n");
});
