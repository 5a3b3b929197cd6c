import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { faults } from "../../../operate/faults";
import { cutOff, dropFrom, filtered, linkDown } from "../../../operate/faults/filters";
import { startScript, stopScript } from "../../../operate/faults/unit";

const CARDS = ["fa:16:3e:00:00:01", "fa:16:3e:00:00:02"];

describe("faults", () => {
  test("have names of their own, and say what they do", () => {
    const names = faults.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { name, does } of faults) {
      assert.match(name, /^[a-z][a-z0-9-]+$/);
      assert.ok(does.length > 20, name);
    }
  });

  for (const [name, scripts] of Object.entries({
    cutOff: cutOff(CARDS, ["198.51.100.11"]),
    dropFrom: dropFrom(CARDS),
    filtered: filtered("", { in: "meta l4proto vrrp drop", out: "meta l4proto vrrp drop" }),
    linkDown: linkDown("203.0.113.11"),
  })) {
    test(`${name} is a script that a POSIX shell can read, and ends by itself`, () => {
      const script = startScript(scripts, 1_800_000_000.5, 12);
      for (const text of [script, scripts.begin, scripts.end, stopScript()]) {
        const { status, stderr } = spawnSync("sh", ["-n"], { input: text, encoding: "utf8" });
        assert.equal(status, 0, stderr);
      }
      assert.match(script, /^RuntimeMaxSec=27$/m);
      assert.match(script, /^ExecStopPost=\/bin\/sh \/run\/ha-cluster-fault\/end$/m);
    });
  }
});
