import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Who holds a stack's lock, in the words of a backend that keeps its locks itself (a folder, an object store). */
export interface Lock {
  user: string;
  host: string;
  pid: number;
  /** When it was taken, as Pulumi writes it. */
  since: string;
}

const LINE = /created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g;

/** Of what Pulumi says when it finds a stack locked; none if it was something else that it said. */
export function locksIn(said: string): Lock[] {
  return [...said.matchAll(LINE)].map(([, user, host, pid, since]) => ({
    user: user!,
    host: host!,
    pid: Number(pid),
    since: since!,
  }));
}

/** Whether the one that took it is still at work; undefined where that can't be seen from here. */
export function isHeld({ host, pid }: Lock, here = hostname(), program = programOf): boolean | undefined {
  if (host !== here) return undefined;
  // Another program may have the number by now.
  return program(pid) === "pulumi";
}

/** In words: whose it is, and what to do where it is not known to be nobody's. */
export function saidOf(lock: Lock, held: boolean | undefined): string {
  const { user, host, pid, since } = lock;
  const who = `${user} on ${host} (pid ${pid}) has had the stack's lock since ${since}`;
  if (held === true) return `${who}, and is at work: wait for its end, or end it there with Ctrl-C`;
  if (held === false) return `${who}, and that process is gone: the lock is taken away`;
  return `${who}, which can't be seen from here: if \`ps -p ${pid}\` there shows no pulumi, the same command with --unlock goes on`;
}

/** What the process with this number runs; undefined when there is none. */
function programOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}
