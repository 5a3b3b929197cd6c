import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { bundle } from "../../../render/bundle";
import { selfExtracting } from "../../../render/scripts";

describe("bundle", () => {
  test("files stand in the order of their paths, each under its header, and the end is marked", () => {
    const text = bundle([
      { path: "/etc/b", mode: "0600", text: "secret" },
      { path: "/etc/a", mode: "0644", text: "one\ntwo\n" },
    ]);
    assert.equal(text, "==> /etc/a 0644 root:root\none\ntwo\n==> /etc/b 0600 root:root\nsecret\n==> end\n");
  });

  test("a file that looks like two is refused", () => {
    assert.throws(
      () => bundle([{ path: "/etc/a", mode: "0644", text: "x\n==> /etc/shadow 0644 root:root\n" }]),
      /\/etc\/a/,
    );
  });
});

describe("scripts", () => {
  test("the self-extracting text brings every script to its place, whole and executable", () => {
    const folder = mkdtempSync(join(tmpdir(), "ha-cluster-"));
    try {
      const scripts = { "a.sh": "#!/bin/sh\necho \"$HOME\" `date` 'x'\n", "b.sh": "no newline at the end" };
      const install = (what: Record<string, string>): Buffer =>
        execFileSync("sh", { input: selfExtracting(what, join(folder, "to")) });
      install({ "old.sh": "gone with the next push\n" });
      install(scripts);
      assert.deepEqual(readdirSync(join(folder, "to")).sort(), ["a.sh", "b.sh"]);
      assert.equal(readFileSync(join(folder, "to/a.sh"), "utf8"), scripts["a.sh"]);
      assert.equal(readFileSync(join(folder, "to/b.sh"), "utf8"), "no newline at the end\n");
      assert.equal(statSync(join(folder, "to/a.sh")).mode & 0o777, 0o755);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a text that was cut on its way installs nothing, wherever it was cut", () => {
    const folder = mkdtempSync(join(tmpdir(), "ha-cluster-"));
    try {
      const text = selfExtracting(
        { "a.sh": "#!/bin/sh\nif true; then\n  exit 1\nfi\n", "b.sh": "}\n" },
        join(folder, "to"),
      );
      const complete = text.lastIndexOf("}") + 1;
      for (let length = 1; length < complete; length += 7) {
        const { status } = spawnSync("sh", { input: text.slice(0, length) });
        assert.notEqual(status, 0, `cut after ${length} characters`);
        assert.deepEqual(readdirSync(folder), []);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a script with the end mark in it is refused", () => {
    assert.throws(() => selfExtracting({ "a.sh": "x\nHA-CLUSTER-END-OF-SCRIPT\n" }, "/opt"), /a\.sh/);
  });
});
