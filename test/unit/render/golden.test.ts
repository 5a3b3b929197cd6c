import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { bundle } from "../../../render/bundle";
import { EXPECTED, goldenCases } from "../../golden/cases";

/** `UPDATE_GOLDEN=1` writes them anew; the diff in git is then what has to be read. */
const update = process.env.UPDATE_GOLDEN === "1";

describe("golden files", () => {
  const cases = goldenCases();

  for (const { name, files } of cases) {
    test(name, () => {
      const path = join(EXPECTED, `${name}.txt`);
      const text = bundle(files);
      if (update) writeFileSync(path, text);
      assert.equal(text, readFileSync(path, "utf8"));
    });
  }

  test("none is left over", () => {
    assert.deepEqual(readdirSync(EXPECTED).sort(), cases.map(({ name }) => `${name}.txt`).sort());
  });
});
