import type { Problem } from "../../config/problems";
import { listNames, pathText } from "../../config/shape/words";
import type { Change, PlannedServer } from "../change";

/** A machine that Nova gave up on is no machine to push to: each attempt would take minutes and fail. */
export function unfinished({ unfinished: pairs }: Change): Problem[] {
  return pairs
    .filter(({ standing }) => standing.failed !== undefined)
    .map(({ planned, standing }) => ({
      path: pathOf(planned),
      cause: `${standing.hostname} was never finished: ${standing.failed!}`,
      mend: `mend what that says (quota, room in the zone), then \`pulumi refresh\` and \`pulumi up --replace '**:Instance::${planned.id}'\`: it has served nobody yet`,
    }));
}

/** Who was built before servers could say farewell would be cut off in the middle of what it does. */
export function unprepared({ resized, replaced, leaving }: Change): Problem[] {
  const stopped = [
    ...[...resized, ...replaced].map(({ standing }) => standing),
    ...leaving.filter(({ role, pushed }) => role !== "app-server" && pushed),
  ];
  const names = stopped.filter(({ knowsFarewell }) => !knowsFarewell).map(({ id }) => id);
  if (names.length === 0) return [];
  return [
    {
      path: stopper({ resized, replaced }) ?? "datacenters",
      cause: `${listNames(names)} would be stopped, but can't hand over first: the last \`pulumi up\` was one of an older release`,
      mend: "first `pulumi up` without this change; then make it",
    },
  ];
}

/** A database says farewell while all others are synced: not while one of them leaves. What is done between the old and the new, all servers run for. */
export function atOnce({ resized, replaced, leaving, moves }: Change): Problem[] {
  const path = stopper({ resized, replaced });
  const mend = "in two runs: first the one, then the other";
  if (path === undefined) return [];
  if (leaving.some(({ role, pushed }) => role !== "app-server" && pushed))
    return [{ path, cause: "would stop servers in the run in which a datacenter leaves", mend }];
  const moving = Object.entries(moves).find(([, { due }]) => due);
  if (moving)
    return [
      {
        path,
        cause: `would stop servers in the run in which others change together (${moving[0]}: ${moving[1].words})`,
        mend,
      },
    ];
  return [];
}

/** The key that has servers stopped, if any does. */
function stopper({ resized, replaced }: Pick<Change, "resized" | "replaced">): string | undefined {
  return replaced.length > 0 ? "mayReplace" : resized[0] && flavorOf(resized[0].planned);
}

export function flavorOf(node: PlannedServer): string {
  return ofKind(node, "flavor");
}

/** Where it is written for its kind alone. */
export function imageOf(node: PlannedServer): string {
  return ofKind(node, "image");
}

function ofKind(node: PlannedServer, key: "flavor" | "image"): string {
  switch (node.role) {
    case "load-balancer":
      return `loadBalancers.${key}`;
    case "database":
      return `database.${key}`;
    case "app-server":
      return pathText(["appServers", node.group, key]);
  }
}

/** The key that a server comes from. */
export function pathOf(planned: PlannedServer): string {
  return planned.role === "app-server"
    ? pathText(["appServers", planned.group])
    : pathText(["datacenters", planned.datacenter]);
}
