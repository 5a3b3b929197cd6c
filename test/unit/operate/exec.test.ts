import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { exec } from "../../../operate/exec";

test("where nobody heeds signals, a program that has to end in order stays within the terminal's reach", async () => {
  const { stdout } = await exec("cat", ["/proc/self/stat"], { orderly: "it" });
  const group = (stat: string): string => stat.split(" ")[4]!;
  assert.equal(group(stdout), group(readFileSync("/proc/self/stat", "utf8")));
});
