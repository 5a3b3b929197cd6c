import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../support/folder";
import { record, type Result } from "../../support/table";
import { type Seen, Tally } from "../../witnesses/lines";

function saw(witness: string, also: Partial<Seen> = {}): Seen {
  return { witness, beats: 10, renewed: 0, breaks: [], refused: [], silence: 20, ...also };
}

const result: Result = {
  ...{
    row: "another flavor",
    rate: 200,
    seconds: 12.4,
    sent: 4000,
    failed: 0,
    slowest: 70,
    retransmitted: 1,
    late: 30,
  },
  ...{ handovers: 2, failures: [] },
  seen: [saw("download ipv4"), saw("socket ipv6"), saw("kept ipv4"), saw("session")],
};

test("a tally says when a connection broke, how old it was, and how long there was none", () => {
  const tally = new Tally("w");
  tally.take({ witness: "w", at: 1000, what: "opened" });
  tally.take({ witness: "w", at: 1500, what: "beats", count: 4, silence: 110 });
  tally.take({ witness: "w", at: 2000, what: "broke", error: "read ECONNRESET" });
  tally.take({ witness: "w", at: 2100, what: "refused", error: "status 503" });
  tally.take({ witness: "w", at: 2300, what: "opened" });
  tally.take({ witness: "w", at: 2400, what: "renewed" });
  assert.deepEqual(tally.seen, {
    ...{ witness: "w", beats: 4, renewed: 1, silence: 110 },
    breaks: [{ at: 2000, error: "read ECONNRESET", age: 1000, away: 300 }],
    refused: [{ at: 2100, error: "status 503" }],
  });
});

test("results are kept as data and as a table, one for each change, the last one", () => {
  const folder = temporaryFolder();
  try {
    record({ ...result, failed: 7 }, folder.path);
    record({ ...result, row: "a third" }, folder.path);
    const breaks = [{ at: 2000, error: "read ECONNRESET", age: 1000, away: 300 }];
    const cut = saw("download ipv6 TLS", { breaks, refused: [{ at: 2100, error: "status 503" }] });
    const said = record({ ...result, seen: [...result.seen, cut] }, folder.path);
    const read = (name: string): string => readFileSync(join(folder.path, name), "utf8");
    assert.deepEqual(
      (JSON.parse(read("table.json")) as Result[]).map(({ row, failed }) => [row, failed]),
      [
        ["a third", 0],
        ["another flavor", 0],
      ],
    );
    assert.match(
      read("table.md"),
      /^\| another flavor \| 12 \| 0 of 4000 \| 70 \| 1 \| 30 \| cut 1×, refused 1× \| held \| held \| held \|$/m,
    );
    assert.match(read("table.md"), /New connections a second and family: 200\./);
    assert.match(
      said.at(-1)!,
      /^download ipv6 TLS: 10 answers, .*; broke at 00:00:02.000 after 1.0 s: read ECONNRESET \(away 300 ms\); refused/,
    );
  } finally {
    folder.remove();
  }
});
