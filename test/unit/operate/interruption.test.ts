import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { until } from "../../../operate/poll";
import { type Folder, temporaryFolder } from "../../support/folder";

const ROOT = join(__dirname, "..", "..", "..");
const FIXTURE = join(__dirname, "interrupted.fixture.ts");

/** As the real one: at a first SIGINT it ends what it has begun, which here is when `finish` is there; a second ends it at once. */
const PULUMI = `#!/bin/sh
cd "$(dirname "$0")/.."
times=0
trap 'times=$((times + 1)); echo "$1 got INT" >>log; [ $times = 1 ] || exit 1' INT
echo "$1 runs as $$" >>log
while [ ! -e finish ]; do sleep 0.02; done
echo "$1 ended" >>log
[ $times = 0 ]
`;

const WAITS = "A second Ctrl-C leaves that in the cloud; then: npm run recover -- run --stack acme";
const CTRL_C = "\x03";
const REFUSED = Array<string>(3).fill("refused: interrupted");

let folder: Folder;
let child: ChildProcessWithoutNullStreams;
let code: number | undefined;
let stderr: string;

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder.path, "bin"));
  writeFileSync(join(folder.path, "log"), "");
  writeFileSync(join(folder.path, "bin", "pulumi"), PULUMI, { mode: 0o755 });
});

afterEach(async () => {
  finish();
  child.kill("SIGKILL");
  await ended();
  const left = (): number[] => pids().filter(runs);
  await until(
    "all that was started to end",
    () => Promise.resolve(left()),
    ({ length }) => length === 0,
    { every: 20 },
  );
  folder.remove();
});

describe("a signal", () => {
  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)
    test(`${signal} to a verb and its group is one SIGINT to pulumi, whose end is waited for`, async () => {
      start("up");
      await logged("up runs as");
      const pid = pids().at(-1)!;
      assert.deepEqual(groupAndSession(pid), [pid, pid], "the terminal's own signal does not reach it");
      process.kill(-child.pid!, signal);
      await heard(WAITS);
      await logged("up got INT");
      assert.equal(child.exitCode, null);
      finish();
      assert.equal(await ended(), exitCode);
      assert.deepEqual(log().slice(2), ["up got INT", "up ended", ...REFUSED, "put back", `exit ${exitCode}`]);
      assert.match(stderr, /^interrupted: waiting for pulumi, [^\n]* --stack acme\n/);
      assert.match(stderr, /^pulumi up .* ended with 1:$/m);
      assert.match(stderr, /\ninterrupted\n$/);
      assert.doesNotMatch(stderr, /^\s+at /m);
    });

  test("that npm passes on again is none", async () => {
    start("up");
    await logged("up runs as");
    child.kill("SIGINT");
    await heard(WAITS);
    child.kill("SIGINT");
    finish();
    assert.equal(await ended(), 130);
    assert.equal(count("up got INT"), 1);
    assert.equal(count("up ended"), 1);
  });

  test("that comes again later is handed on again, and still everything is put back", async () => {
    start("up");
    await logged("up runs as");
    await again("SIGTERM", () => count("up got INT") === 2);
    assert.equal(await ended(), 143);
    assert.equal(count("up ended"), 0);
    assert.equal(count("put back"), 1);
    assert.equal(stderr.split(WAITS).length - 1, 1);
  });

  test("is handed to every pulumi that runs, and no step follows", async () => {
    start("both");
    await logged("up runs as");
    await logged("preview runs as");
    child.kill("SIGINT");
    await logged("up got INT");
    await logged("preview got INT");
    finish();
    assert.equal(await ended(), 130);
    assert.equal(count("next step"), 0);
    assert.equal(count("put back"), 1);
    assert.equal(stderr.split(WAITS).length - 1, 1);
  });

  test("gives up a step that only looks", async () => {
    start("look");
    await logged("begun");
    child.kill("SIGINT");
    assert.equal(await ended(), 130);
    assert.deepEqual(log().slice(2), [...REFUSED, "put back", "exit 130"]);
    assert.match(
      stderr,
      /^interrupted: what was begun comes .*; a second Ctrl-C leaves .*\nputting back\ninterrupted\n$/,
    );
  });

  test("waits for a step that does something, until a second one", async () => {
    start("work");
    await logged("begun");
    child.kill("SIGHUP");
    await heard("a second Ctrl-C");
    assert.equal(child.exitCode, null);
    await again("SIGHUP", () => child.exitCode !== null);
    assert.deepEqual(log().slice(2), ["exit 129"]);
  });

  test("leaves what still runs when pulumi has ended", async () => {
    start("late");
    await logged("up runs as");
    child.kill("SIGINT");
    await logged("up got INT");
    finish();
    await logged("begun");
    await again("SIGINT", () => child.exitCode !== null);
    assert.deepEqual(log().slice(2), ["up got INT", "up ended", "begun", "exit 130"]);
  });

  test("is the verb's own where it has an answer", async () => {
    start("own");
    await logged("begun");
    child.kill("SIGTERM");
    await logged("first");
    await again("SIGTERM", () => count("later") > 0);
    finish();
    assert.equal(await ended(), 143);
    assert.equal(stderr, "putting back\nput back, in its own words\ninterrupted\n");
    assert.equal(count("first"), 1);
  });

  test("at a question is no answer", async () => {
    start("ask");
    await logged("begun");
    child.kill("SIGTERM");
    assert.equal(await ended(), 143);
    assert.deepEqual(log().slice(2), [...REFUSED, "put back", "exit 143"]);
  });

  test("is heeded also when nobody reads any more what is said", async () => {
    start("up");
    await logged("up runs as");
    child.stdout.destroy();
    child.stderr.destroy();
    child.kill("SIGHUP");
    await logged("up got INT");
    finish();
    await logged("exit");
    assert.deepEqual(log().slice(-2), ["put back", "exit 129"]);
  });
});

describe("in a terminal, Ctrl-C", () => {
  for (const { does, at } of [
    { does: "up", at: "up runs as" },
    { does: "ask", at: "begun" },
  ])
    test(`during \`${does}\` ends it in order, and leaves the terminal as it was`, async () => {
      startInTerminal(does);
      await logged(at);
      child.stdin.write(CTRL_C);
      if (does === "up") await logged("up got INT");
      finish();
      await logged("the shell saw");
      assert.deepEqual(log().slice(-5), [...REFUSED.slice(1), "put back", "exit 130", "the shell saw 130"]);
      assert.equal(count("up got INT"), does === "up" ? 1 : 0);
      const [before, after] = ["before", "after"].map((name) => readFileSync(join(folder.path, name), "utf8"));
      assert.match(before!, / icanon /);
      assert.equal(after, before);
    });

  test("is no longer there once it is closed; pulumi comes to its end even so", async () => {
    startInTerminal("up");
    await logged("up runs as");
    child.kill("SIGKILL");
    await logged("up got INT");
    finish();
    await logged("exit");
    assert.deepEqual(log().slice(-2), ["put back", "exit 129"]);
    assert.equal(count("up got INT"), 1);
    assert.equal(count("up ended"), 1);
  });
});

function start(does: string): void {
  begin(process.execPath, ["--import", "tsx", FIXTURE, folder.path, does]);
}

/** By a shell that tells of the terminal's modes before and after. */
function startInTerminal(does: string): void {
  // The shell is in the foreground too, and has to outlive its Ctrl-C.
  const shell = `trap : INT
stty -a >"$FOLDER/before"
"$NODE" --import tsx "$FIXTURE" "$FOLDER" ${does}
echo "the shell saw $?" >>"$FOLDER/log"
stty -a >"$FOLDER/after"`;
  begin("script", ["--quiet", "--command", shell, "/dev/null"], { SHELL: "/bin/sh", NODE: process.execPath, FIXTURE });
}

function begin(file: string, args: string[], more = {}): void {
  const PATH = `${join(folder.path, "bin")}:${process.env.PATH!}`;
  const env = { ...process.env, PATH, FOLDER: folder.path, ...more };
  child = spawn(file, args, { env, cwd: ROOT, detached: true });
  stderr = "";
  child.stdout.resume();
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  code = undefined;
  child.on("close", (given, signal) => (code = given ?? constants.signals[signal!]));
}

function finish(): void {
  writeFileSync(join(folder.path, "finish"), "");
}

function log(): string[] {
  return readFileSync(join(folder.path, "log"), "utf8").split("\n").slice(0, -1);
}

function count(line: string): number {
  return log().filter((each) => each === line).length;
}

function pids(): number[] {
  return log()
    .flatMap((line) => / runs as (\d+)$/.exec(line)?.[1] ?? [])
    .map(Number);
}

/** Nobody may be there to bury an orphan. */
function runs(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

function groupAndSession(pid: number): number[] {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ").slice(2, 4).map(Number);
}

async function logged(beginning: string): Promise<void> {
  const found = (lines: string[]): boolean => lines.some((line) => line.startsWith(beginning));
  await until(`\`${beginning}\``, () => Promise.resolve(log()), found, { every: 20 });
}

async function heard(words: string): Promise<void> {
  await until(
    `\`${words}\``,
    () => Promise.resolve(stderr),
    (text) => text.includes(words),
    { every: 10 },
  );
}

function ended(): Promise<number | undefined> {
  return until(
    "the verb to end",
    () => Promise.resolve(code),
    (given) => given !== undefined,
    { every: 20 },
  );
}

/** Sends a signal again and again, as only one a second counts. */
async function again(signal: NodeJS.Signals, enough: () => boolean): Promise<void> {
  const send = (): Promise<string[]> => {
    child.kill(signal);
    return Promise.resolve(log());
  };
  await until(`${signal} to count`, send, enough, { every: 100 });
}
