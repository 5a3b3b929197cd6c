import type { Role } from "../plan/servers";
import type { Change, PlannedServer } from "./change";
import type { Deployed } from "./deployed";
import { changedFiles } from "./files";

/** What the restart that a changed file asks for means to those who are connected. */
const RESTARTS: Partial<Record<Role, { path: RegExp; words: string }>> = {
  database: {
    path: /^\/etc\/mysql\//,
    words:
      "MariaDB restarts, only while the others are synced: whoever is connected to the one that writes connects anew",
  },
  "app-server": {
    path: /^\/etc\/(systemd\/system\/app\.service|ha-cluster\/app\.env)$/,
    words: "the application restarts",
  },
};

const HANDED_OVER = "if it is active it hands the VIPs over first, and drains";

/**
 * In an operator's words, what a change does to the servers, by datacenter, and what customers notice of it. One line each;
 * empty for a cluster on which nothing changes.
 *
 * @param bundles what each server's configuration push will carry
 */
export function words(change: Change, deployed: Deployed, bundles: Record<string, string>): string[] {
  const pushed = change.kept.flatMap(({ planned }) => {
    const files = changedFiles(deployed.bundles[planned.id] ?? "", bundles[planned.id] ?? "");
    return files.length === 0 ? [] : [{ planned, files }];
  });
  const resized = new Set(change.resized.map(({ planned }) => planned.id));
  const lines: [datacenter: string, line: string][] = [
    ...change.created.map((node): [string, string] => [node.datacenter, `${node.id}: made`]),
    ...change.unfinished.map(({ planned }): [string, string] => [
      planned.datacenter,
      `${planned.id}: finished; it has served nobody yet`,
    ]),
    ...change.resized.map(({ planned, standing }): [string, string] => [
      planned.datacenter,
      `${planned.id}: STOPPED and started again, ${standing.flavor} → ${planned.flavor ?? ""}; one server at a time`,
    ]),
    ...pushed.map(({ planned, files }): [string, string] => [
      planned.datacenter,
      `${planned.id}: ${how(planned, files)}`,
    ]),
    ...change.leaving.map(({ id, role }): [string, string] => [
      id.replace(/^[^-]+-|-\d+$/g, ""),
      `${id}: DELETED at the end${role === "database" ? ", with its copy of the data" : ""}`,
    ]),
  ];
  if (lines.length === 0) return [];
  const sorted = lines.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  const width = Math.max(...sorted.map(([datacenter]) => datacenter.length));
  const restarted = pushed.filter(({ planned, files }) => restartOf(planned, files) !== undefined);
  return [
    ...sorted.map(([datacenter, line], index) =>
      `${(datacenter === sorted[index - 1]?.[0] ? "" : datacenter).padEnd(width)}  ${line}`.trimEnd(),
    ),
    `customers: ${notice(change, restarted.length > 0 || resized.size > 0)}`,
  ];
}

function how(planned: PlannedServer, files: string[]): string {
  const names = files.map((path) => path.slice(path.lastIndexOf("/") + 1));
  const shown = names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
  const effect = restartOf(planned, files) ?? (planned.role === "load-balancer" ? HANDED_OVER : "nothing stops");
  return `${shown} changed; ${effect}`;
}

function restartOf({ role }: PlannedServer, files: string[]): string | undefined {
  const restart = RESTARTS[role];
  return restart && files.some((path) => restart.path.test(path)) ? restart.words : undefined;
}

function notice({ first, leaving }: Change, stops: boolean): string {
  if (first) return "nobody is served yet";
  if (stops) return "one server after the other is away for a moment, the others serve";
  return leaving.length > 0 ? "nothing; those that stay serve" : "nothing";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
