import type { Role } from "../plan/servers";
import type { Copy } from "./data";
import { type Finding, LOST_DATABASE, LOST_DATABASES, REPAIR } from "./finding";
import type { Deployed } from "./gather/deployed";
import type { Step } from "./gather/engine";
import { COMMAND, INSTANCE, machineOf, roleOf, typeOf } from "./gather/state";

/** What a run of Pulumi does to one server. */
export interface Consequence {
  name: string;
  role: Role;
  does: "delete" | "replace" | "make" | "push";
}

/** Those of a preview's steps that servers feel, each server once. */
export function consequences(steps: readonly Step[], { machines }: Deployed): Consequence[] {
  const felt = new Map<string, Consequence>();
  for (const { op, urn } of steps) {
    const role = roleOf(urn);
    const does = effect(op, typeOf(urn));
    if (role === undefined || does === undefined) continue;
    const id = machineOf({ urn, type: typeOf(urn) });
    const name = machines.find((machine) => machine.id === id)?.name ?? id;
    const before = felt.get(id)?.does;
    felt.set(id, { name, role, does: before === undefined ? does : stronger(before, does) });
  }
  return [...felt.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function effect(op: string, type: string): Consequence["does"] | undefined {
  if (type === COMMAND) return op === "delete" ? undefined : "push";
  if (type !== INSTANCE) return undefined;
  if (op === "create") return "make";
  if (op === "delete") return "delete";
  return op === "replace" || op === "create-replacement" || op === "delete-replaced" ? "replace" : undefined;
}

function stronger(a: Consequence["does"], b: Consequence["does"]): Consequence["does"] {
  const both = new Set([a, b]);
  if (both.has("replace") || (both.has("delete") && both.has("make"))) return "replace";
  return (["delete", "make", "push"] as const).find((does) => both.has(does))!;
}

/** In words, before it is done: what is stopped, deleted or made anew, and every database that is touched. */
export function announced(consequences: readonly Consequence[], findings: readonly Finding[]): string[] {
  return consequences.flatMap(({ name, role, does }) => {
    switch (does) {
      case "delete":
        return [`${name} is deleted, with everything on its disk`];
      case "replace":
        return [`${name} is deleted, with everything on its disk, and made anew`];
      case "make":
        return [`${name} is made anew: it is gone`];
      case "push":
        return role === "database" ? [`${name} is pushed to: ${mariadb(name, findings)}`] : [];
      default:
        return does satisfies never;
    }
  });
}

function mariadb(name: string, findings: readonly Finding[]): string {
  const own = findings.filter(({ where }) => where === name);
  if (own.some(({ check, what }) => check === "galera" && what === "MariaDB")) return "MariaDB is started";
  if (own.some(({ check, what }) => check === "files" && what === "disk"))
    return "MariaDB copies all data from another";
  return own.some(({ check, what }) => check === "files" && what.startsWith("/etc/mysql/"))
    ? "MariaDB is restarted"
    : "MariaDB goes on, if it is synced";
}

/** Why this must not be done, or not without being asked for; undefined where it may. */
export function objection(
  consequences: readonly Consequence[],
  copies: readonly Copy[],
  why: string | undefined,
  { replaceServers }: { replaceServers: boolean },
): string | undefined {
  const databases = consequences.filter(({ role }) => role === "database");
  const ends = (each: Consequence): boolean => each.does === "delete" || each.does === "replace";
  const lost = databases.filter(ends);
  if (lost.length > 0) return refused(`${names(lost)} would be deleted, with its data`, LOST_DATABASE);
  if (why !== undefined && databases.length > 0) {
    return refused(`${why}, and ${names(databases)} would be pushed to`, LOST_DATABASES);
  }
  const alone = databases.find(
    ({ name, does }) => does === "make" && !copies.some((copy) => copy.synced && copy.name !== name),
  );
  if (alone) return refused(`${alone.name} would be made anew, and no other database is synced`, LOST_DATABASES);
  const servers = consequences.filter((each) => each.role !== "database" && ends(each));
  if (servers.length === 0 || replaceServers) return undefined;
  return refused(`${names(servers)} would be deleted`, `if that is meant: ${REPAIR} --replace-servers`);
}

function refused(what: string, way: string): string {
  return `nothing repaired, nothing touched: ${what}. ${way}`;
}

function names(all: readonly Consequence[]): string {
  return all.map(({ name }) => name).join(", ");
}
