import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exec } from "../../operate/exec";

/** The engine that holds a stack's lock in a file backend. */
export function engineOf(state: string, stack: string): number | undefined {
  const locks = join(state, ".pulumi", "locks", "organization", "ha-cluster", stack);
  const [lock] = readdirSync(locks, { encoding: "utf8" }).filter((name) => name.endsWith(".json"));
  return lock === undefined ? undefined : (JSON.parse(readFileSync(join(locks, lock), "utf8")) as { pid: number }).pid;
}

/** Ends the engine that holds the stack's lock, its plugins and the program, as a power cut would. */
export async function killEngine(state: string, stack: string): Promise<void> {
  const pid = engineOf(state, stack);
  if (pid === undefined) throw new Error(`no engine holds the lock of stack ${stack}`);
  const { stdout: children } = await exec("ps", ["-o", "pid=", "--ppid", String(pid)]);
  for (const each of [pid, ...children.split("\n").map(Number).filter(Boolean)]) process.kill(each, "SIGKILL");
}
