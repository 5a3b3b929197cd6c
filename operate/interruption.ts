import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";

/** Something was not begun, or was left in the midst, because a signal had come. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
  }
}

/** What a verb does about signals by itself, as long as it has something in hand that pulumi knows nothing of. */
export interface Answer {
  first: () => void;
  /** A second signal, and each after that. */
  later: () => void;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

// npm passes on the very Ctrl-C that the terminal has sent already; who closes a terminal may send two signals.
const DOUBLED_MS = 1000;

/** What a write fails with when the terminal, or the reader of a pipe, is gone. */
const GONE = ["EIO", "EPIPE"];

const controller = new AbortController();

/** Aborted by the first signal that this process heeds, with {@link Interrupted} as its reason. */
export const interruption: AbortSignal = controller.signal;

const running = new Map<ChildProcess, string>();
let heeding = false;
let firstSignal: (typeof SIGNALS)[number] | undefined;
let last = -Infinity;
let answer: Answer = {
  first: () => {
    const begun = new Set(running.values());
    console.error(
      begun.size > 0
        ? `interrupted: waiting for ${[...begun].join("; ")}`
        : "interrupted: what was begun comes to its end; a second Ctrl-C leaves it as it is",
    );
  },
  later: () => {
    if (running.size === 0) process.exit(signalled());
  },
};

/** From now on SIGINT, SIGTERM and SIGHUP interrupt this process instead of ending it, and so does no lost terminal. */
export function heed(): void {
  if (heeding) return;
  heeding = true;
  for (const signal of SIGNALS) process.on(signal, take);
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!GONE.includes(error.code ?? "")) throw error;
    });
}

export function heeds(): boolean {
  return heeding;
}

/** The exit code that tells a shell of the signal; undefined when none came. */
export function signalled(): number | undefined {
  return firstSignal && 128 + constants.signals[firstSignal];
}

/**
 * Has a process get a SIGINT for each signal, as long as it runs.
 *
 * @param words what is waited for, and what a second signal leaves
 */
export function handOver(child: ChildProcess, words: string): void {
  if (child.pid === undefined) return;
  running.set(child, words);
  child.once("exit", () => running.delete(child));
}

/** From now on, instead of what is said and done otherwise. */
export function answerWith(own: Answer): void {
  answer = own;
}

/** For what only looks: gives it up at the first signal. */
export async function unlessInterrupted<T>(look: Promise<T>): Promise<T> {
  let stop: () => void;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(interruption.reason as Interrupted);
    if (interruption.aborted) stop();
    else interruption.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([look, stopped]);
  } finally {
    interruption.removeEventListener("abort", stop!);
  }
}

function take(signal: (typeof SIGNALS)[number]): void {
  const now = performance.now();
  if (now - last < DOUBLED_MS) return;
  last = now;
  const first = firstSignal === undefined;
  firstSignal ??= signal;
  (first ? answer.first : answer.later)();
  for (const child of running.keys()) child.kill("SIGINT");
  if (first) controller.abort(new Interrupted());
}
