import type { Role } from "../plan/servers";
import { type Facts, hasWork, type Reboot } from "./facts";
import type { Server } from "./order";

export interface Planned extends Server {
  facts: Facts;
}

/** So many updates are named; the others are counted, unless everything is asked for. */
const NAMED = 6;

/** Everything that will be done, and to whom, before it is. */
export function planWords(turns: readonly Planned[], active: string | undefined, when: Reboot, all: boolean): string {
  const concerned = turns.filter(({ facts }) => hasWork(facts, when));
  return [
    ...turns.flatMap((server, index) => serverWords(server, index + 1, server.name === active, when, all)),
    "",
    ...(concerned.length === 0
      ? ["nothing to do"]
      : [
          `One after the other, in this order; each has to serve, and all others with it, before the next. The first that fails ends it.`,
          `customers: ${notice(concerned.map(({ role }) => role))}`,
        ]),
  ].join("\n");
}

function serverWords({ name, facts }: Planned, turn: number, active: boolean, when: Reboot, all: boolean): string[] {
  const { updates, held, half, stale, reboot } = facts;
  const security = updates.filter((each) => each.security).length;
  const detail = (text: string): string => `       ${text}`;
  const lines = [
    ...(updates.length === 0 ? [] : [detail(named(updates.map(updateWords), all))]),
    ...(half.length === 0 ? [] : [detail(`left half-way by an earlier update: ${half.join(", ")}`)]),
    ...(stale.length === 0 ? [] : [detail(`restarts, as it runs on files that were replaced: ${stale.join(", ")}`)]),
    ...held.map(({ name: what, installed, candidate, why }) =>
      detail(`held: ${what} ${installed}, though there is ${candidate} (${why})`),
    ),
    ...reboot.map((why) => detail(`reboot ${when === "never" ? "due, and not made" : "due"}: ${why}`)),
  ];
  return [
    `${String(turn).padStart(3)}  ${name}${active ? " (active)" : ""}: ${summary(facts, security, when)}`,
    ...lines,
  ];
}

function summary(facts: Facts, security: number, when: Reboot): string {
  if (!hasWork(facts, when)) return "nothing to do, left alone";
  const { updates, reboot } = facts;
  const count =
    updates.length === 0
      ? "no update"
      : `${updates.length} ${updates.length === 1 ? "update" : "updates"}, ${security} of them security's`;
  const now = when === "always" || (when === "needed" && reboot.length > 0);
  const later = when === "needed" && updates.length > 0 ? "reboots if they ask for it" : "no reboot";
  return `${count}; ${now ? "REBOOTS" : later}`;
}

function updateWords({ name, from, to }: Facts["updates"][number]): string {
  return from === undefined ? `${name} ${to} (new)` : `${name} ${from} → ${to}`;
}

function named(words: readonly string[], all: boolean): string {
  if (all || words.length <= NAMED) return words.join(", ");
  return `${words.slice(0, NAMED).join(", ")} and ${words.length - NAMED} more (--list)`;
}

const NOTICED: Record<Role, string | undefined> = {
  "load-balancer":
    "the active load balancer hands its VIPs over and drains for up to 60 s: only a download or websocket that takes longer is cut",
  database: "when the database that writes stops, its sessions end and connect anew",
  "app-server": undefined,
};

function notice(roles: readonly Role[]): string {
  const words = [...new Set(roles)].flatMap((role) => NOTICED[role] ?? []);
  return words.length === 0 ? "nothing; the others answer" : words.join("; ");
}
