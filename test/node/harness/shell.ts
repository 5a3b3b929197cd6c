import { spawn, spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
  /** Both, as an operator sees them. */
  text: string;
}

/** Runs a command to its end; `limit` in seconds, after which it is killed and the result's code is not 0. */
export function run(command: string[], input = "", limit = 120): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), { timeout: limit * 1000, killSignal: "SIGKILL" });
    const result = { stdout: "", stderr: "", text: "" };
    child.stdout.setEncoding("utf8").on("data", (data: string) => ((result.stdout += data), (result.text += data)));
    child.stderr.setEncoding("utf8").on("data", (data: string) => ((result.stderr += data), (result.text += data)));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, ...result }));
    child.stdin.on("error", () => {}); // the command may not want its input
    child.stdin.end(input);
  });
}

/** The same at once, for setting up and clearing away; throws with the command's words. */
export function must(...command: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command[0]!, command.slice(1), { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command.join(" ")}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

/** For clearing away what may be gone already. */
export function may(...command: string[]): void {
  spawnSync(command[0]!, command.slice(1), { stdio: "ignore" });
}

/** Polls until `probe` gives something; `what` names it when `seconds` pass first. */
export async function eventually<T>(
  what: string,
  seconds: number,
  probe: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`after ${seconds} s still not: ${what}`);
    await sleep(100);
  }
}
