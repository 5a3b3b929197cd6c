import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { EFFECTS } from "../../../change/effects";
import { effectTable } from "../../../change/effectTable";
import { allKeys } from "../../../config/shape/introspect";
import { stackFile } from "../../../config/shape/schema";
import { ROOT } from "../../../operate/lab/places";

test("every key of the stack file says what changing it does, and nothing else does", () => {
  const keys = allKeys(stackFile).map(({ key }) => key);
  assert.deepEqual(Object.keys(EFFECTS).sort(), keys.sort());
});

test("docs/change-a-cluster.md has the table as it is in the code", () => {
  const text = readFileSync(join(ROOT, "docs", "change-a-cluster.md"), "utf8");
  assert.ok(text.includes(effectTable()), `the table is:\n${effectTable()}`);
});
