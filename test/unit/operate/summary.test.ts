import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempt } from "../../../operate/traffic/gap";
import { failuresOf, summaryOf } from "../../../operate/traffic/summary";

function attempt(at: number, milliseconds: number, error?: string): Attempt {
  return { url: "http://192.0.2.1/", at, late: 0, milliseconds, ok: error === undefined, ...(error ? { error } : {}) };
}

test("an answer that came after a packet was sent again is no failure, but is counted", () => {
  const attempts = [attempt(0, 5), attempt(10, 1005), attempt(20, 3000, "read ECONNRESET"), attempt(30, 7)];
  assert.deepEqual(summaryOf(attempts), { sent: 4, failed: 1, longest: 20, slowest: 1005, retransmitted: 1 });
});

test("failures are told apart by their words and by a second without one", () => {
  const [reset, refused] = ["read ECONNRESET", "connect ECONNREFUSED"];
  const attempts = [attempt(0, 1, reset), attempt(10, 1, reset), attempt(20, 1, refused), attempt(1500, 1, reset)];
  assert.deepEqual(
    failuresOf(attempts).map(({ error, count, first, last }) => [error, count, first, last]),
    [
      [reset, 2, 0, 10],
      [refused, 1, 20, 20],
      [reset, 1, 1500, 1500],
    ],
  );
});
