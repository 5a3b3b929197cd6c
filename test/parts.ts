import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exec, type Result } from "../operate/exec";

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** One command that tests something, and how its tests are counted. */
export interface Part {
  name: string;
  command: [file: string, ...args: string[]];
  /**
   * `exit`: one test, by the exit code; `node`, `pytest`, `go`: by the runner's own report. A runner that ends badly, or
   * counts nothing, counts as a failure.
   */
  count: "exit" | "node" | "pytest" | "go";
  env?: Record<string, string>;
  cwd?: string;
  /** Another part without whose success this one can't run; then it counts as one failure. */
  needs?: string;
}

const FAILURE: Counts = { passed: 0, failed: 1, skipped: 0 };

export async function runPart(part: Part, blocked: boolean): Promise<Counts> {
  console.log(`\n--- ${part.name}`);
  if (blocked) {
    console.log(`not run: it needs ${part.needs ?? "another part"}, which failed`);
    return FAILURE;
  }
  const folder = mkdtempSync(join(tmpdir(), "ha-cluster-report-"));
  try {
    const report = join(folder, "report");
    const [file, ...args] = part.command;
    const result = await exec(file, [...reporting(part, report), ...args], {
      env: { ...process.env, ...part.env },
      ...(part.cwd === undefined ? {} : { cwd: part.cwd }),
      timeout: 3_600_000,
      echo: (text) => (part.count === "go" ? undefined : process.stdout.write(text)),
    });
    return judge(part, result, report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Options that make the runner write what {@link judge} reads; they go right behind the program's name. */
function reporting(part: Part, report: string): string[] {
  switch (part.count) {
    case "node":
      return [
        ...["--import", "tsx", "--test"],
        ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
        ...["--test-reporter=tap", `--test-reporter-destination=${report}`],
      ];
    case "exit":
    case "pytest":
    case "go":
      return [];
    default:
      return part.count satisfies never;
  }
}

function judge(part: Part, { code, stdout, stderr }: Result, report: string): Counts {
  const counts = count(part, code, stdout, report);
  if (part.count === "go" && (code !== 0 || counts.failed > 0)) console.log(goOutput(stdout), stderr);
  const badEnd = code !== 0 && counts.failed === 0;
  const nothing = counts.passed + counts.failed === 0;
  if (badEnd || nothing) {
    console.log(`${part.command.join(" ")} ended with ${code}, having counted ${counts.passed} tests`);
    return sum([counts, FAILURE]);
  }
  return counts;
}

function count(part: Part, code: number, stdout: string, report: string): Counts {
  switch (part.count) {
    case "exit":
      return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : FAILURE;
    case "node":
      return nodeCounts(readFileSync(report, "utf8"));
    case "pytest":
      return pytestCounts(stdout);
    case "go":
      return goCounts(stdout);
    default:
      return part.count satisfies never;
  }
}

/** The closing lines of TAP as node:test writes it, e.g. `# pass 12`. */
function nodeCounts(tap: string): Counts {
  const closing = (word: string): number => Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(tap)?.[1] ?? 0);
  return {
    passed: closing("pass"),
    failed: closing("fail") + closing("cancelled"),
    skipped: closing("skipped") + closing("todo"),
  };
}

/** pytest's last line, e.g. `3 failed, 10 passed in 0.1s`. */
function pytestCounts(stdout: string): Counts {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  const of = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(last)?.[1] ?? 0);
  return { passed: of("passed"), failed: of("failed") + of("errors?"), skipped: of("skipped") };
}

interface GoEvent {
  Action: string;
  Test?: string;
  Output?: string;
}

function goEvents(stdout: string): GoEvent[] {
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as GoEvent);
}

/** `go test -json`: one event per test that ended. */
function goCounts(stdout: string): Counts {
  const ended = (action: string): number =>
    goEvents(stdout).filter((event) => event.Action === action && event.Test !== undefined).length;
  return { passed: ended("pass"), failed: ended("fail"), skipped: ended("skip") };
}

function goOutput(stdout: string): string {
  return goEvents(stdout)
    .map((event) => event.Output ?? "")
    .join("");
}

export function sum(counts: readonly Counts[]): Counts {
  return counts.reduce(
    (total, each) => ({
      passed: total.passed + each.passed,
      failed: total.failed + each.failed,
      skipped: total.skipped + each.skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}
