import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";

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

/**
 * Whether the one that took it is still at work; undefined where that can't be seen from here: on another machine, for another
 * user, and from a container, which sees its own processes alone, though it may have its host's name.
 */
export function isHeld({ user, host, pid }: Lock, here = seen()): boolean | undefined {
  if (host !== here.host) return undefined;
  // A container's process has another number there, and other programs may have had this one since.
  if (here.engines.some((numbers) => numbers.includes(pid))) return true;
  return here.all && user === here.user ? false : undefined;
}

/** What this process sees of its machine. */
export interface Seen {
  host: string;
  user: string;
  /** Whether it sees all processes of the machine, at least of its user. */
  all: boolean;
  /** Of each Pulumi at work, its numbers in the namespaces that it is in. */
  engines: number[][];
}

/** The number that Linux gives its first namespace of processes (PROC_PID_INIT_INO). */
const FIRST = "pid:[4026531836]";

function seen(): Seen {
  const engines = processes().flatMap((pid) => {
    if (told(`/proc/${pid}/comm`).trim() !== "pulumi") return [];
    const [, numbers = String(pid)] = /^NSpid:\s*(.+)$/m.exec(told(`/proc/${pid}/status`)) ?? [];
    return [numbers.split(/\s+/).map(Number)];
  });
  return { host: hostname(), user: userInfo().username, all: namespace() === FIRST, engines };
}

function processes(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function namespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

/** What a file of /proc says; nothing once the process has ended. */
function told(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** In words: whose it is, and what to do where it is not known to be nobody's. */
export function saidOf({ user, host, pid, since }: Lock, held: boolean | undefined, unlock: boolean): string {
  const who = `${user} on ${host} (pid ${pid}) has had the stack's lock since ${since}`;
  if (held === true) return `${who}, and a pulumi with that number is at work: wait for its end`;
  if (held === false) return `${who}, and that process is gone: the lock is taken away`;
  if (unlock) return `${who}; it is taken away, as --unlock says`;
  return `${who}, which can't be seen from here: if \`ps -p ${pid}\` there shows no pulumi, the same command with --unlock goes on`;
}
