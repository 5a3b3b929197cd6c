import { spawn } from "node:child_process";
import { handOver, heeds, interruption } from "./interruption";

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ExecOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  input?: string;
  /** Milliseconds until the process is ended; 10 minutes unless given. */
  timeout?: number;
  /** Called with everything as it is printed, for people who wait. */
  echo?: (text: string) => void;
  /** Out of reach of the terminal's Ctrl-C, which is then the caller's alone. */
  ownSession?: boolean;
  /**
   * Of a program that has to come to an orderly end. Where signals are heeded (interruption.ts) it is handed them, in a session
   * of its own; these words say what is waited for. After a signal it is not begun any more.
   */
  orderly?: string;
}

/** Runs a program to its end; a code other than 0 is the caller's to judge. */
export function exec(file: string, args: readonly string[], options: ExecOptions = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const { orderly } = options;
    if (orderly !== undefined) interruption.throwIfAborted();
    const child = spawn(file, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      detached: options.ownSession ?? (orderly !== undefined && heeds()),
    });
    if (orderly !== undefined) handOver(child, orderly);
    const limit = setTimeout(() => child.kill("SIGKILL"), options.timeout ?? 600_000);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      options.echo?.(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      options.echo?.(text);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      resolve({ code: code ?? 128, stdout, stderr: signal ? `${stderr}\nended by ${signal}` : stderr });
    });
    // A program that ends before it has read everything is judged by its exit code, not by the broken pipe.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

/** Like {@link exec}, but anything other than success is an error that shows what was printed last. */
export async function run(file: string, args: readonly string[], options: ExecOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await exec(file, args, options);
  if (code !== 0) {
    const said = `${stdout}\n${stderr}`.trim().split("\n").slice(-40).join("\n");
    throw new Error(`${file} ${args.join(" ")} ended with ${code}:\n${said}`);
  }
  return stdout;
}
