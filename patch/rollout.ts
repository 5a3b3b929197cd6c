import type { Result } from "../operate/exec";
import { until } from "../operate/poll";
import type { Role } from "../plan/servers";
import { hasWork, type Reboot } from "./facts";
import { next } from "./order";
import type { Planned } from "./words";

export interface Health {
  /** Who has the VIPs. */
  active?: string;
  /** What is not as it should be, in words. */
  problems: string[];
}

/** What is done to servers, and asked of them. */
export interface Hands {
  health: () => Promise<Health>;
  /** `patch.sh ROLE run`; 255 or 128 when the connection was lost, which says nothing of how it went. */
  run: (server: Planned, when: Reboot) => Promise<Result>;
  /** Which boot it is in, and how the run has ended that was made in it; undefined while it can't be reached. */
  state: (server: Planned) => Promise<{ boot: string; ended?: number } | undefined>;
  /** Why it does not serve; undefined when it does. */
  serves: (server: Planned) => Promise<string | undefined>;
  say: (text: string) => void;
}

export interface Outcome {
  done: string[];
  /** Those that there was nothing to do to. */
  alone: string[];
  /** Those that were not touched. */
  left: string[];
  /** Why it did not come to its end, and the server in hand, if it is due to one. */
  stopped?: { server?: string; why: string; serves?: boolean };
}

/** Seconds. */
export interface Limits {
  /** From a lost connection to the end of what was under way. */
  lost: number;
  /** From the request to the answer of the next boot. */
  reboot: number;
  /** Until it serves: a database may have to get all data anew. */
  serve: Record<Role, number>;
  /** Until all servers are well again, as seen by each other. */
  well: number;
}

export const LIMITS: Limits = {
  lost: 1800,
  reboot: 600,
  serve: { "load-balancer": 120, database: 1800, "app-server": 120 },
  well: 180,
};

/** ssh's own exit code, as opposed to the remote command's, and that of one that was ended here. */
const LOST = [255, 128];

/**
 * Servers with work to do, one after the other; each begins only while all are well, and the first that fails is the last.
 *
 * @param health as it was seen just before
 * @param signal ends it after the server in hand
 */
export async function rollout(
  planned: readonly Planned[],
  when: Reboot,
  health: Health,
  hands: Hands,
  signal: AbortSignal,
  limits = LIMITS,
): Promise<Outcome> {
  let left = planned.filter(({ facts }) => hasWork(facts, when));
  const alone = planned.filter((each) => !left.includes(each)).map(({ name }) => name);
  const done: string[] = [];
  const stopped = (why: string, server?: string, serves?: boolean): Outcome => ({
    ...{ done, alone, left: left.map(({ name }) => name) },
    stopped: { why, ...(server === undefined ? {} : { server }), ...(serves === undefined ? {} : { serves }) },
  });
  let { active } = health;
  if (health.problems.length > 0) return stopped(health.problems.join("\n"));
  for (;;) {
    const server = next(left, active);
    if (server === undefined) return { done, alone, left: [] };
    if (signal.aborted) return stopped("you asked for it");
    hands.say(`${server.name}: begins`);
    left = left.filter((each) => each !== server);
    try {
      await one(server, when, hands, limits);
    } catch (error) {
      const why = await hands.serves(server);
      const words = [(error as Error).message, ...(why === undefined ? [] : [`it does not serve: ${why}`])];
      return stopped(words.join("\n"), server.name, why === undefined);
    }
    const well = await wellAgain(hands, limits);
    if (well.problems.length > 0) {
      const words = [`${limits.well} s after its turn the cluster is not well:`, ...well.problems];
      return stopped(words.join("\n"), server.name, true);
    }
    active = well.active;
    done.push(server.name);
    hands.say(`${server.name}: done, and all are well`);
  }
}

async function one(server: Planned, when: Reboot, hands: Hands, limits: Limits): Promise<void> {
  const result = await hands.run(server, when);
  let reboots = /^reboots now/m.test(result.stdout);
  let { code } = result;
  if (LOST.includes(code) && !reboots) {
    hands.say(`${server.name}: the connection was lost; waiting for the end of what was under way there`);
    const state = await until(
      `${server.name} to say how it went`,
      () => hands.state(server),
      (seen) => seen !== undefined && (seen.boot !== server.facts.boot || seen.ended !== undefined),
      { seconds: limits.lost, every: 1000 },
    );
    reboots = state!.boot !== server.facts.boot;
    code = state!.ended ?? 0;
  }
  if (reboots) {
    hands.say(`${server.name}: reboots`);
    await until(
      `${server.name} to be back from its reboot`,
      () => hands.state(server),
      (state) => state !== undefined && state.boot !== server.facts.boot,
      { seconds: limits.reboot, every: 1000 },
    );
  } else if (code !== 0) {
    throw new Error(result.stderr.trim() || `patch.sh ended with ${code}`);
  }
  await until(
    `${server.name} to serve`,
    () => hands.serves(server),
    (why) => why === undefined,
    { seconds: limits.serve[server.role], every: 500 },
  );
}

/** Health checks rise, and a neighbour notices, within seconds. */
async function wellAgain(hands: Hands, { well }: Limits): Promise<Health> {
  const end = Date.now() + well * 1000;
  for (;;) {
    const health = await hands.health();
    if (health.problems.length === 0 || Date.now() >= end) return health;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
