import { spawn, type ChildProcessByStdio } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Attempt } from "./gap";
import type { Batch, Orders } from "./wire";

export interface Target {
  url: string;
  /** PEM file that must have signed the certificate; what Node.js trusts unless given. */
  caFile?: string;
  /** Name to ask for and to verify; the URL's own unless given. An address in the URL needs it, for HTTPS. */
  servername?: string;
  /** What an answer's status has to be; 200 unless given. */
  status?: number;
  /** Text that the body has to contain. */
  contains?: string;
}

export interface TrafficOptions {
  /** New connections a second to each target, each with one request. */
  perSecond: number;
  /**
   * Milliseconds after which a request has failed, 800 unless given. That is less than the second after which TCP sends a lost
   * SYN again (RFC 6298), or a gap would look shorter than it is.
   */
  timeout?: number;
  /** How to run a command where clients are, e.g. clientCommand of lab/lab.ts; here unless given. */
  via?: (...command: string[]) => [file: string, args: string[]];
}

const CLIENT = join(__dirname, "client.ts");

/**
 * A client that never stops asking: a process of its own that opens a new connection for every request, by the clock, whether
 * or not earlier ones were answered (open loop). It resumes no TLS session. If it falls behind it catches up, and
 * {@link lag} tells.
 */
export class Traffic {
  readonly attempts: Attempt[] = [];
  /** Seconds of processor time the client has used so far. */
  cpu = 0;
  /** Successes since the last failure, by target. */
  private readonly streaks: number[];
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly closed: Promise<void>;
  private stopped = false;

  private constructor(
    readonly targets: readonly Target[],
    { perSecond, timeout = 800, via = (file, ...args) => [file, args] }: TrafficOptions,
  ) {
    this.streaks = targets.map(() => 0);
    const orders: Orders = {
      targets: targets.map(({ url, caFile, servername, status = 200, contains }) => ({
        url,
        status,
        ...(caFile === undefined ? {} : { ca: readFileSync(caFile, "utf8") }),
        ...(servername === undefined ? {} : { servername }),
        ...(contains === undefined ? {} : { contains }),
      })),
      perSecond,
      timeout,
    };
    const [file, args] = via(process.execPath, "--import", "tsx", CLIENT, JSON.stringify(orders));
    // Its input ends with ours, also when this process is killed: a client never outlives who started it.
    this.child = spawn(file, args, {
      stdio: ["pipe", "pipe", "inherit"],
      cwd: join(__dirname, "..", ".."),
      // A session of its own, whose priority it may raise.
      detached: true,
    });
    this.child.stdin.on("error", () => undefined);
    const read = new Promise<void>((resolve) => {
      createInterface({ input: this.child.stdout })
        .on("line", (line) => this.take(JSON.parse(line) as Batch))
        .on("close", resolve);
    });
    this.closed = new Promise((resolve, reject) => {
      this.child.on("error", reject);
      this.child.on("close", (code, signal) => {
        if (code === 0) void read.then(resolve);
        else reject(new Error(`the client ended by itself with ${signal ?? code ?? "nothing"}`));
      });
    });
    // Told by stop().
    this.closed.catch(() => undefined);
  }

  static start(targets: readonly Target[], options: TrafficOptions): Traffic {
    return new Traffic(targets, options);
  }

  /** The last `count` requests to every target were all answered. */
  steady(count: number): boolean {
    return this.streaks.every((streak) => streak >= count);
  }

  /** The most that the client itself was behind its clock, in milliseconds: longer gaps than this are the cluster's. */
  get lag(): number {
    return this.attempts.reduce((worst, { late }) => Math.max(worst, late), 0);
  }

  /** Ends the client when it has its last answers, and gives all attempts in the order in which they were due. */
  async stop(): Promise<Attempt[]> {
    if (!this.stopped) this.child.stdin.end();
    this.stopped = true;
    await this.closed;
    return this.attempts.sort((a, b) => a.at - b.at);
  }

  private take({ rows, cpu }: Batch): void {
    this.cpu = cpu;
    for (const [target, at, late, milliseconds, error] of rows) {
      const ok = error === undefined;
      this.streaks[target] = ok ? this.streaks[target]! + 1 : 0;
      this.attempts.push({ url: this.targets[target]!.url, at, late, milliseconds, ok, ...(ok ? {} : { error }) });
    }
  }
}
