import type { Role } from "../plan/servers";
import { cut } from "./after";
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
    path: /^\/etc\/(systemd\/system\/app\.service|gunicorn\.conf\.py|ha-cluster\/app\.env)$/,
    words: "the application restarts",
  },
};

/** What comes before, and what its disk had. */
const ANEW: Record<Role, string> = {
  "load-balancer": "it hands over and drains before",
  database: "only while the others are synced, and copies all data from one of them",
  "app-server": "its requests are answered before, and it runs the release that its group runs",
};

/** Read by no daemon that serves. */
const QUIET = /^\/etc\/(apt|needrestart)\//;

const HANDED_OVER = "if it is active it hands the VIPs over first, and drains";

/**
 * In an operator's words, what a change does to the servers, by datacenter, and what customers notice of it. One line each;
 * empty for a cluster on which nothing changes.
 *
 * @param bundles what each server's configuration push will carry
 */
export function words(change: Change, deployed: Deployed, bundles: Record<string, string>): string[] {
  const replaced = new Set(change.replaced.map(({ planned }) => planned.id));
  const pushed = change.kept.flatMap(({ planned }) => {
    if (replaced.has(planned.id)) return [];
    const files = changedFiles(deployed.bundles[planned.id] ?? "", bundles[planned.id] ?? "");
    return files.length === 0 ? [] : [{ planned, files }];
  });
  const lines: [datacenter: string, line: string][] = [
    ...change.created.map((node): [string, string] => [node.datacenter, `${node.id}: made`]),
    ...change.unfinished.map(({ planned }): [string, string] => {
      const why = change.remade.find((each) => each.planned.id === planned.id)?.why.join(", ");
      return [
        planned.datacenter,
        `${planned.id}: ${why === undefined ? "finished" : `made anew, ${why}`}; it has served nobody yet`,
      ];
    }),
    ...change.waiting.map(({ planned, why }): [string, string] => [
      planned.datacenter,
      `${planned.id}: stays as it is for now (${why.join(", ")}): first ${firstOf(change).join(", ")}, then \`pulumi up\` again`,
    ]),
    ...change.resized.map(({ planned, standing }): [string, string] => [
      planned.datacenter,
      `${planned.id}: STOPPED and started again, ${standing.flavor} → ${planned.flavor ?? ""}; one server at a time`,
    ]),
    ...change.replaced.map(({ planned, why }): [string, string] => [
      planned.datacenter,
      `${planned.id}: DELETED and made anew, ${why.join(", ")}; ${ANEW[planned.role]}; one server at a time`,
    ]),
    ...pushed.map(({ planned, files }): [string, string] => [
      planned.datacenter,
      `${planned.id}: ${how(planned, files)}${meanwhile(change, planned)}`,
    ]),
    ...change.kept.flatMap(({ planned: { id, datacenter }, standing: { lostPorts } }): [string, string][] =>
      lostPorts.length === 0 || replaced.has(id)
        ? []
        : [
            [
              datacenter,
              `${id}: its ${lostPorts.join(" and ")} port is made anew; \`npm run verify -- --repair\` attaches it, until then the server is cut off there`,
            ],
          ],
    ),
    ...again(change, deployed, [...replaced, ...[...change.resized, ...pushed].map(({ planned }) => planned.id)]),
    ...[...change.kept, ...change.unfinished].flatMap(({ planned: { id, datacenter } }): [string, string][] =>
      change.logins[id]?.due === true ? [[datacenter, `${id}: ${change.logins[id].words}; nothing stops`]] : [],
    ),
    ...change.leaving.map(({ id, role }): [string, string] => [
      id.replace(/^[^-]+-|-\d+$/g, ""),
      `${id}: DELETED at the end${role === "database" ? ", with its copy of the data" : ""}`,
    ]),
  ];
  const others = [...everybodyAgain(deployed), ...otherImages(change), ...needless(change), ...way(change)];
  if (lines.length === 0) return others;
  const sorted = lines.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  const width = Math.max(...sorted.map(([datacenter]) => datacenter.length));
  const restarted = pushed.filter(({ planned, files }) => restartOf(planned, files) !== undefined);
  return [
    ...sorted.map(([datacenter, line], index) =>
      `${(datacenter === sorted[index - 1]?.[0] ? "" : datacenter).padEnd(width)}  ${line}`.trimEnd(),
    ),
    ...others,
    `customers: ${notice(change, restarted.length + change.resized.length + change.replaced.length > 0, deployed)}`,
  ];
}

/** Who has to serve again before anybody else is stopped. */
function firstOf({ unfinished, created }: Change): string[] {
  return [...unfinished.map(({ planned }) => planned), ...created].map(({ id }) => id);
}

/** Servers whose image the file says otherwise, and that nothing brings to it: by name only, as the cloud isn't asked. */
function otherImages({ kept, replaced, waiting }: Change): string[] {
  const stay = kept.filter(
    ({ planned, standing }) =>
      planned.image !== standing.image && ![...replaced, ...waiting].some((each) => each.planned.id === planned.id),
  );
  if (stay.length === 0) return [];
  const ids = stay.map(({ planned }) => planned.id);
  return [
    `image: ${ids.join(", ")} ${ids.length === 1 ? "runs" : "run"} on another image than the file says, and ${ids.length === 1 ? "stays" : "stay"} so until \`mayReplace\` names ${ids.length === 1 ? "it" : "them"}`,
  ];
}

/** What nobody wants to find out when the provider renews an image. */
function needless({ needless: ids }: Change): string[] {
  if (ids.length === 0) return [];
  return [
    `mayReplace: ${ids.join(", ")} ${ids.length === 1 ? "has" : "have"} what the file says; remove the line, or the next image of that name is brought there unasked`,
  ];
}

/** What a load balancer does until those behind it have been told. */
function meanwhile({ moves }: Change, { id, role }: PlannedServer): string {
  const move = moves[id];
  return role === "load-balancer" && move?.due === true ? `; in two steps, meanwhile ${move.words}` : "";
}

/** Whose files are as they were, and who has others for the time between since a run that counted nothing yet. */
function again({ kept, after }: Change, deployed: Deployed, others: readonly string[]): [string, string][] {
  if (!deployed.rollout.ended) return [];
  return kept
    .filter(({ planned: { id } }) => !others.includes(id) && after[id] !== deployed.after[id])
    .map(({ planned: { id, datacenter, role } }) => [
      datacenter,
      `${id}: its files are pushed again, after what was cut (${after[id]!}); ${role === "load-balancer" ? HANDED_OVER : "what runs otherwise restarts"}`,
    ]);
}

/** Anybody may have other files than the state says. */
function everybodyAgain({ bundles, rollout: { number, ended } }: Deployed): string[] {
  if (ended || Object.keys(bundles).length === 0) return [];
  return [
    `${cut(number)}: everybody is pushed to once more, one after the other, also with scripts and files that are as they were: who has them already goes on, who has others is changed`,
  ];
}

/** In which order servers move between zones, and what has to be asked first. */
function way({ route: { steps, unasked } }: Change): string[] {
  if (steps.length < 2 && unasked.length === 0) return [];
  const moves = steps.map(
    ({ planned, beside }) =>
      `${planned.id} to ${planned.availabilityZone}${beside.length > 0 ? ` beside ${beside.join(", ")}` : ""}`,
  );
  const asked = [...new Set(unasked.map(({ planned }) => planned.availabilityZone))];
  return [
    `zones: ${moves.join(", then ")}`,
    ...(asked.length === 0
      ? []
      : [
          `zones: whether ${asked.join(", ")} has room is asked by \`pulumi up\` itself, before anything is touched: it makes a server there, with no port, and deletes it again; where there is none it looks for another order, or refuses`,
        ]),
  ];
}

function how(planned: PlannedServer, files: string[]): string {
  const names = files.map((path) => path.slice(path.lastIndexOf("/") + 1));
  const shown = names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
  const hands = planned.role === "load-balancer" && !files.every((path) => QUIET.test(path));
  const effect = restartOf(planned, files) ?? (hands ? HANDED_OVER : "nothing stops");
  return `${shown} changed; ${effect}`;
}

function restartOf({ role }: PlannedServer, files: string[]): string | undefined {
  const restart = RESTARTS[role];
  return restart && files.some((path) => restart.path.test(path)) ? restart.words : undefined;
}

function notice({ first, leaving }: Change, stops: boolean, { rollout }: Deployed): string {
  if (first) return "nobody is served yet";
  if (stops) return "one server after the other is away for a moment, the others serve";
  if (!rollout.ended) return "nothing, unless a server is found with other files";
  return leaving.length > 0 ? "nothing; those that stay serve" : "nothing";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
