import type { Problem } from "../problems";
import { names, sortedEntries, type Draft } from "../shape/draft";
import { nearest, quote } from "../shape/words";
import { appServerIds } from "./names";

/** Lines that allow what can't be undone: each names what it is about. */
export function* checkIntent(draft: Draft, stack: string): Generator<Problem> {
  yield* checkDeletions(draft);
  yield* checkReplacements(draft);
  const { mayDestroy } = draft;
  const cluster = draft.clusterName ?? draft.customer ?? stack;
  if (mayDestroy !== undefined && mayDestroy !== cluster) {
    yield {
      path: "mayDestroy",
      cause: `names ${quote(mayDestroy)}, but this cluster is ${quote(cluster)}`,
      mend: `write \`${cluster}\` if this cluster shall be destroyed, or remove the line`,
    };
  }
}

/** Databases, and none that the file keeps. */
function* checkDeletions({ mayDelete, datacenters }: Draft): Generator<Problem> {
  for (const [index, id] of (mayDelete ?? []).entries()) {
    const name = /^db-(.+)$/.exec(id ?? "")?.[1];
    if (id === undefined) continue;
    const path = `mayDelete[${index}]`;
    if (name === undefined) {
      yield {
        path,
        cause: `${quote(id)} is no database server; others hold no data, and go when the file no longer has them`,
        mend: "name a database server by its id, for example db-dc3, or remove the line",
      };
    } else if (datacenters && names(datacenters).includes(name)) {
      yield {
        path,
        cause: `allows the deletion of ${id}, but \`datacenters\` still has ${quote(name)}`,
        mend: `remove the line; it is for the run in which \`${name}\` leaves`,
      };
    }
  }
}

/** Servers that the file has. */
function* checkReplacements({ mayReplace, datacenters, appServers }: Draft): Generator<Problem> {
  if (!datacenters) return;
  const edge = names(datacenters).flatMap((name) => [`lb-${name}`, `db-${name}`]);
  const apps = sortedEntries(appServers).flatMap(([group, servers]) =>
    appServerIds(group, servers, names(datacenters)),
  );
  const ids = [...edge, ...apps];
  for (const [index, id] of (mayReplace ?? []).entries()) {
    if (id === undefined || ids.includes(id)) continue;
    const meant = nearest(id, ids);
    yield {
      path: `mayReplace[${index}]`,
      cause: `${quote(id)} is no server of this file`,
      mend: meant === undefined ? "name a server by its id, for example lb-dc1" : `did you mean \`${meant}\`?`,
    };
  }
}
