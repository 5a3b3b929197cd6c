import { spawn, type ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { clientCommand } from "./lab";

export interface Attempt {
  url: string;
  /** When it was sent, in milliseconds since the epoch. */
  at: number;
  milliseconds: number;
  ok: boolean;
}

export interface Gap {
  sent: number;
  failed: number;
  /** Longest time between the starts of two successive requests that were answered, in milliseconds. */
  longest: number;
}

const PROBE = join(__dirname, "probe.ts");

/** A client of the internet's side that never stops asking. */
export class Prober {
  private readonly attempts: Attempt[] = [];
  private readonly child: ChildProcessByStdio<null, Readable, null>;

  /**
   * @param urls each gets a new connection every `interval` milliseconds; one unanswered after `timeout` has failed. That is
   * less than the second after which TCP sends a lost SYN again (RFC 6298), or a gap would look shorter than it is.
   */
  constructor(
    readonly urls: readonly string[],
    interval = 10,
    timeout = 800,
  ) {
    const node = [process.execPath, "--import", "tsx", PROBE, String(interval), String(timeout), ...urls];
    const [file, args] = clientCommand(...node);
    this.child = spawn(file, args, {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: join(__dirname, ".."),
      detached: true,
    });
    createInterface({ input: this.child.stdout }).on("line", (line) => this.attempts.push(JSON.parse(line) as Attempt));
  }

  /** The last `count` attempts to every URL were all answered. */
  steady(count: number): boolean {
    return this.urls.every((url) => {
      const last = this.attempts.filter((each) => each.url === url).slice(-count);
      return last.length === count && last.every((each) => each.ok);
    });
  }

  async stop(): Promise<Map<string, Gap>> {
    const closed = new Promise((resolve) => this.child.once("close", resolve));
    // The whole group: the namespace's shell does not pass a signal on.
    if (this.child.pid !== undefined) process.kill(-this.child.pid, "SIGTERM");
    await closed;
    return new Map(this.urls.map((url) => [url, measure(this.attempts.filter((each) => each.url === url))]));
  }
}

export function measure(attempts: readonly Attempt[]): Gap {
  const answered = attempts
    .filter((each) => each.ok)
    .map((each) => each.at)
    .sort((a, b) => a - b);
  let longest = 0;
  for (let index = 1; index < answered.length; index++) {
    longest = Math.max(longest, answered[index]! - answered[index - 1]!);
  }
  return { sent: attempts.length, failed: attempts.length - answered.length, longest: Math.round(longest) };
}
