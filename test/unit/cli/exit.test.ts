import assert from "node:assert/strict";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { agreed } from "../../../cli/agreed";
import { exec } from "../../../operate/exec";

const ROOT = join(__dirname, "..", "..", "..");

describe("a question", () => {
  for (const { said, answer } of [
    { said: "y\n", answer: true },
    { said: "Yes\n", answer: true },
    { said: "\n", answer: false },
    { said: "nay\n", answer: false },
    { said: "", answer: false },
  ]) {
    test(`is answered by ${JSON.stringify(said)} with ${answer ? "yes" : "no"}, and not left open`, async () => {
      const input = new PassThrough();
      input.end(said);
      assert.equal(await agreed("Go on? ", input, new PassThrough()), answer);
    });
  }
});

for (const [verb, ...args] of [
  ["plan", "--nonsense"],
  ["verify", "--nonsense"],
  ["verify", "--replace-servers"],
  ["preflight", "--nonsense"],
  ["drill", "--nonsense"],
  ["replace", "--nonsense"],
  ["patch", "--nonsense"],
  ["patch", "--reboot", "perhaps"],
  ["patch", "lb-dc1"],
] as [string, ...string[]][]) {
  test(`${verb} ${args.join(" ")} is wrong usage, in words`, async () => {
    const file = join(ROOT, "cli", `${verb}.ts`);
    const { code, stderr } = await exec(process.execPath, ["--import", "tsx", file, ...args], { cwd: ROOT });
    assert.equal(code, 2);
    assert.match(stderr, /--(nonsense|repair|reboot|only)/);
    assert.doesNotMatch(stderr, /^\s+at /m);
  });
}
