import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempt } from "../../../operate/traffic/gap";
import { assertOnlyCut, movesIn } from "../../support/moves";

const START = 1_795_741_700_000;

function attempts(failures: Record<number, string>): Attempt[] {
  return Array.from({ length: 200 }, (_, index) => {
    const error = failures[index];
    const what = { url: "https://203.0.113.241/", at: START + 50 * index, late: 0, milliseconds: 5 };
    return { ...what, ok: error === undefined, ...(error !== undefined && { error }) };
  });
}

test("moves are read from what journals print", () => {
  const line = "1795741703.045123 lb1 Keepalived_vrrp[12]: (EXTERN) Entering MASTER STATE\n";
  assert.deepEqual(movesIn([line, "", line + line]), [1795741703045.123, 1795741703045.123, 1795741703045.123]);
});

test("what was in flight while a VIP moved may be reset", () => {
  const moves = [START - 500, START + 5000];
  assert.equal(assertOnlyCut(attempts({}), moves), 0);
  for (const error of ["read ECONNRESET", "ECONNRESET", "write EPIPE"]) {
    assert.equal(assertOnlyCut(attempts({ 100: error, 101: error }), moves), 2);
  }
});

test("nothing else may fail", () => {
  const moves = [START + 5000];
  const reset = "read ECONNRESET";
  assert.throws(() => assertOnlyCut(attempts({ 110: reset }), moves), /ECONNRESET/);
  assert.throws(() => assertOnlyCut(attempts({ 90: reset }), moves), /ECONNRESET/);
  assert.throws(() => assertOnlyCut(attempts({ 100: "no answer within 800 ms" }), moves), /no answer/);
  assert.throws(() => assertOnlyCut(attempts({ 99: reset, 100: reset, 101: reset }), moves), /"count":3/);
  assert.throws(() => assertOnlyCut(attempts({ 0: reset }), [START - 500]), /the VIP has moved/);
});
