import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../operate/lab/places";
import type { Failure } from "../../operate/traffic/summary";
import type { Seen } from "../witnesses/lines";

/** One change, and what clients noticed. Times in milliseconds, but for `seconds`. */
export interface Result {
  row: string;
  /** New connections a second and family. */
  rate: number;
  seconds: number;
  sent: number;
  failed: number;
  slowest: number;
  retransmitted: number;
  /** The most that the client itself was behind its clock. */
  late: number;
  handovers: number;
  failures: Failure[];
  seen: Seen[];
}

/** Where they are kept; a row that runs again takes the place of its last result. */
const FOLDER = join(ROOT, "test-results");

/** Adds it to `table.json` and `table.md` of the folder `test-results`. @returns what to say of it, line by line */
export function record(result: Result, folder = FOLDER): string[] {
  mkdirSync(folder, { recursive: true });
  const json = join(folder, "table.json");
  const before = existsSync(json) ? (JSON.parse(readFileSync(json, "utf8")) as Result[]) : [];
  const all = [...before.filter(({ row }) => row !== result.row), result];
  writeFileSync(json, `${JSON.stringify(all, undefined, 1)}\n`);
  writeFileSync(join(folder, "table.md"), tableOf(all));
  const { seconds, failed, sent, slowest, retransmitted, late, handovers, seen } = result;
  return [
    `${seconds.toFixed(1)} s; ${failed} of ${sent} requests failed, slowest ${slowest} ms, ${retransmitted} over 900 ms, ${handovers} handovers, client at most ${late} ms late`,
    ...seen.map(words),
  ];
}

const COLUMNS = ["download", "socket", "kept", "session"];

/** As docs/rollouts.md has it. */
export function tableOf(results: readonly Result[]): string {
  const head = [
    "change",
    "s",
    "failed of sent",
    "slowest, ms",
    "> 900 ms",
    "client late, ms",
    "download",
    "WebSocket",
    "kept",
    "session",
  ];
  const rows = results.map((each) => [
    each.row,
    each.seconds.toFixed(0),
    `${each.failed} of ${each.sent}`,
    `${each.slowest}`,
    `${each.retransmitted}`,
    `${each.late}`,
    ...COLUMNS.map((kind) => held(each.seen.filter(({ witness }) => witness.startsWith(kind)))),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  const rates = [...new Set(results.map(({ rate }) => rate))].join(", ");
  const rule = head.map((_, index) => (index === 0 ? "---" : "---:"));
  return `${[head, rule, ...rows].map(line).join("")}\nNew connections a second and family: ${rates}.\n`;
}

/** How often those of a kind broke, all together; the longest that one had nothing open, or heard nothing. */
function held(seen: readonly Seen[]): string {
  const breaks = seen.flatMap((each) => each.breaks);
  const refused = seen.reduce((sum, each) => sum + each.refused.length, 0);
  if (breaks.length + refused === 0) return "held";
  return `cut ${breaks.length}×${refused > 0 ? `, refused ${refused}×` : ""}`;
}

function words({ witness, beats, renewed, breaks, refused, silence }: Seen): string {
  const when = (at: number): string => new Date(at).toISOString().slice(11, 23);
  const all = [
    ...breaks.map(
      ({ at, error, age, away }) =>
        `broke at ${when(at)} after ${(age / 1000).toFixed(1)} s: ${error} (${away === undefined ? "never came back" : `away ${away} ms`})`,
    ),
    ...refused.slice(0, 5).map(({ at, error }) => `refused at ${when(at)}: ${error}`),
  ];
  const counts = `${beats} answers, longest silence ${silence} ms${renewed > 0 ? `, renewed ${renewed}×` : ""}`;
  return `${witness}: ${counts}${all.length > 0 ? `; ${all.join("; ")}` : ""}`;
}
