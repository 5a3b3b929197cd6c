import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exec } from "../../operate/exec";
import { until } from "../../operate/poll";

/** The engine that holds a stack's lock in a file backend. */
export function engineOf(state: string, stack: string): number | undefined {
  const locks = join(state, ".pulumi", "locks", "organization", "ha-cluster", stack);
  const [lock] = readdirSync(locks, { encoding: "utf8" }).filter((name) => name.endsWith(".json"));
  return lock === undefined ? undefined : (JSON.parse(readFileSync(join(locks, lock), "utf8")) as { pid: number }).pid;
}

/** Ends the engine that holds the stack's lock, and its plugins; then waits until the program has ended by itself. */
export async function killEngine(state: string, stack: string): Promise<void> {
  const pid = engineOf(state, stack);
  if (pid === undefined) throw new Error(`no engine holds the lock of stack ${stack}`);
  const plugins = await childrenOf([pid]);
  const programs = await childrenOf(plugins);
  for (const each of [pid, ...plugins]) process.kill(each, "SIGKILL");
  await until(
    "the program to end",
    () => alive(programs),
    (left) => left.length === 0,
    { seconds: 20 },
  );
}

/** @param named of those only whose command line has these words */
export async function childrenOf(parents: readonly number[], named = ""): Promise<number[]> {
  const { stdout } = await exec("ps", ["-o", "pid=,args=", "--ppid", parents.join(",")]);
  return pids(
    stdout
      .split("\n")
      .filter((line) => line.includes(named))
      .map((line) => /^\s*\d+/.exec(line)?.[0] ?? "")
      .join("\n"),
  );
}

export async function alive(processes: readonly number[]): Promise<number[]> {
  return processes.length === 0 ? [] : pids((await exec("ps", ["-o", "pid=", "-p", processes.join(",")])).stdout);
}

function pids(text: string): number[] {
  return text.split("\n").map(Number).filter(Boolean);
}
