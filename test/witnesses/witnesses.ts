import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { until } from "../../operate/poll";
import { type Line, type Seen, Tally } from "./lines";

/** A process that watches: it prints lines.ts until its input ends. */
interface Watcher {
  child: ChildProcessByStdio<Writable, Readable, null>;
  closed: Promise<void>;
}

/** Who holds connections open while something is changed, and what they saw. */
export class Witnesses {
  private readonly tallies = new Map<string, Tally>();
  private readonly watchers: Watcher[] = [];
  private stopped = false;

  /** @param names of those that this process watches for, as its lines have them */
  add(names: readonly string[], [file, args]: [file: string, args: string[]]): this {
    for (const name of names) this.tallies.set(name, new Tally(name));
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.on("error", () => undefined);
    const read = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout })
        .on("line", (text) => {
          const line = JSON.parse(text) as Line;
          this.tallies.get(line.witness)!.take(line);
        })
        .on("close", resolve);
    });
    const closed = new Promise<void>((resolve) => {
      const ended = (how: string): void => {
        if (!this.stopped)
          for (const name of names) this.tallies.get(name)!.lost(Date.now(), `its watcher ended: ${how}`);
        resolve();
      };
      child.on("error", (error) => ended(error.message));
      child.on("close", (code, signal) => void read.then(() => ended(String(signal ?? code))));
    });
    this.watchers.push({ child, closed });
    return this;
  }

  /** Waits until each has had answers; nothing may be changed before. */
  async begun(): Promise<void> {
    await until(
      "every witness to have a connection",
      () => Promise.resolve(this.seen.filter(({ beats }) => beats < 3)),
      (left) => left.length === 0,
      { seconds: 60 },
    );
  }

  /** So far. */
  get seen(): Seen[] {
    return [...this.tallies.values()].map(({ seen }) => seen);
  }

  /** Ends them, and gives what they saw. */
  async stop(): Promise<Seen[]> {
    this.stopped = true;
    for (const { child } of this.watchers) child.stdin.end();
    await Promise.all(this.watchers.map(({ closed }) => closed));
    return this.seen;
  }
}
