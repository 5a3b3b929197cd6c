import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { validate } from "../../../config/validate";
import { badStacks, existingStack, goodStack } from "./fixtures/bad-stacks";

test("the good stacks, which the bad ones change, have no problem", () => {
  assert.deepEqual(validate(goodStack(), "dev").problems, []);
  assert.deepEqual(validate(existingStack(), "dev").problems, []);
});

describe("every bad stack file is answered by what its comment says, and by nothing else", () => {
  const stacks = badStacks();
  assert.ok(stacks.length >= 28, `only ${stacks.length} bad stack files found`);
  for (const { name, raw, problems: ofFile, expected } of stacks) {
    test(name, () => {
      const problems = ofFile.length > 0 ? ofFile : validate(raw, "dev").problems;
      assert.ok(expected.length > 0, "the file has no line `# expect: <path> | <part of the message>`");
      for (const { path, fragment } of expected) {
        const found = problems.filter((problem) => problem.path === path);
        const texts = found.flatMap(({ cause, mend }) => [cause, mend]);
        assert.ok(
          texts.some((text) => text.includes(fragment)),
          `nothing says ${JSON.stringify(fragment)} at ${path}; problems are ${JSON.stringify(problems, null, 2)}`,
        );
      }
      const unexpected = problems.filter((problem) => !expected.some(({ path }) => path === problem.path));
      assert.deepEqual(unexpected, []);
    });
  }
});
