import { spawnSync } from "node:child_process";
import { type Result as Ended, exec } from "../../../operate/exec";

export interface Result extends Ended {
  /** Both, as an operator sees them. */
  text: string;
}

/** Runs a command to its end; `limit` in seconds, after which it is killed and the result's code is not 0. */
export async function run([file, ...args]: string[], input = "", limit = 120): Promise<Result> {
  const ended = await exec(file!, args, { input, timeout: limit * 1000 });
  return { ...ended, text: ended.stdout + ended.stderr };
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
