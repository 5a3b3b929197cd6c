import assert from "node:assert/strict";
import { test } from "node:test";
import { ROWS } from "../../../plan/releases";

test("machines that are made may run Debian 13, as its daemons understand all that those of Debian 12 do", () => {
  const [older, newer] = [ROWS["debian-12"], ROWS["debian-13"]];
  for (const daemon of ["keepalived", "haproxy"] as const) {
    assert.notEqual(newer[daemon].version, older[daemon].version);
    assert.deepEqual({ ...newer[daemon], version: older[daemon].version }, older[daemon]);
  }
});
