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
  /** Needs processors and nobody's patience: it runs beside the others, which wait for machines most of the time. */
  beside?: boolean;
  /** Has to succeed first; when it does not, that counts as one failure. */
  prepare?: () => Promise<void>;
}

/** How a part went. */
export interface Outcome {
  counts: Counts;
  /** What the runner says of the tests that failed; empty when none did. */
  failures: string;
}

const FAILURE: Counts = { passed: 0, failed: 1, skipped: 0 };

/**
 * What a runner says is printed as it comes, or, of what runs beside others, at its end. A part that can't be run, or of which
 * nothing can be read, is one failure.
 */
export async function runPart(part: Part, blocked: boolean): Promise<Outcome> {
  let printed = "";
  const print = (text: string): void => {
    if (part.beside) printed += text;
    else process.stdout.write(text);
  };
  try {
    print(`\n--- ${part.name}\n`);
    return await outcomeOf(part, blocked, print);
  } catch (error) {
    return { counts: FAILURE, failures: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  } finally {
    process.stdout.write(printed);
  }
}

async function outcomeOf(part: Part, blocked: boolean, print: (text: string) => void): Promise<Outcome> {
  const notRun = (why: string): Outcome => {
    const words = `not run: ${why}`;
    print(`${words}\n`);
    return { counts: FAILURE, failures: words };
  };
  if (blocked) return notRun(`it needs ${part.needs ?? "another part"}, which failed`);
  try {
    await part.prepare?.();
  } catch (error) {
    return notRun(String(error));
  }
  const folder = mkdtempSync(join(tmpdir(), "ha-cluster-report-"));
  try {
    const report = join(folder, "report");
    const [program, ...given] = part.command;
    const command = [program, ...reporting(part, report), ...given];
    const [file, ...args] = part.beside ? ["nice", "-n", "19", ...command] : command;
    const result = await exec(file!, args, {
      env: { ...process.env, ...part.env },
      ...(part.cwd === undefined ? {} : { cwd: part.cwd }),
      timeout: 3_600_000,
      echo: (text) => (part.count === "go" ? undefined : print(text)),
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

function judge(part: Part, result: Result, report: string): Outcome {
  const counts = count(part, result.code, result.stdout, report);
  const badEnd = result.code !== 0 && counts.failed === 0;
  const nothing = counts.passed + counts.failed === 0;
  if (!badEnd && !nothing && counts.failed === 0) return { counts, failures: "" };
  const words = failures(part, result);
  if (!badEnd && !nothing) return { counts, failures: words };
  const ended = `${part.command.join(" ")} ended with ${result.code}, having counted ${counts.passed} tests`;
  return { counts: sum([counts, FAILURE]), failures: `${words}\n${ended}` };
}

/** How many of the last lines of a runner that has no chapter on its failures. */
const LAST_LINES = 60;

/** The runner's own chapter on its failures, or else its last words. */
function failures(part: Part, { stdout, stderr }: Result): string {
  if (part.count === "go") return goOutput(stdout) + stderr;
  const output = stdout + stderr;
  const chapter = { node: "✖ failing tests:", pytest: "= FAILURES =", exit: undefined }[part.count];
  const start = chapter === undefined ? -1 : output.indexOf(chapter);
  return start < 0 ? output.trimEnd().split("\n").slice(-LAST_LINES).join("\n") : output.slice(start).trimEnd();
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

/** What the tests said that failed; a package that did not compile has no test. */
function goOutput(stdout: string): string {
  const events = goEvents(stdout);
  const failed = new Set(events.filter(({ Action }) => Action === "fail").map(({ Test }) => Test));
  return events
    .filter(({ Test }) => failed.has(Test))
    .map(({ Output }) => Output ?? "")
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
