import assert from "node:assert/strict";
import { test } from "node:test";
import { type Part, runPart } from "../../parts";

const part = (command: Part["command"], more: Partial<Part> = {}): Part => ({
  ...{ name: "a part", command, count: "exit" as const },
  ...more,
});

const FAILED = { passed: 0, failed: 1, skipped: 0 };

test("a part beside others counts as one that is waited for", async () => {
  for (const beside of [false, true]) {
    assert.deepEqual((await runPart(part(["true"], { beside }), false)).counts, { ...FAILED, passed: 1, failed: 0 });
    const { counts, failures } = await runPart(part(["sh", "-c", "echo why; exit 3"], { beside }), false);
    assert.deepEqual([counts, failures], [FAILED, "why"]);
  }
});

test("a part that can't be run, or has no report, is one failure, and the others go on", async () => {
  for (const each of [part(["/nowhere/at-all"]), part(["true"], { count: "node" })]) {
    const { counts, failures } = await runPart(each, false);
    assert.deepEqual(counts, FAILED);
    assert.match(failures, /ENOENT/);
  }
  assert.deepEqual((await runPart(part(["true"], { needs: "another" }), true)).counts, FAILED);
});
