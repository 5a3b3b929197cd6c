import type { Problem } from "../problems";
import { names, type Draft } from "../shape/draft";
import { quote } from "../shape/words";

/** Lines that allow a deletion: each names what it is about, and nothing that the file keeps. */
export function* checkIntent(
  { mayDelete, mayDestroy, datacenters, ...draft }: Draft,
  stack: string,
): Generator<Problem> {
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
  const cluster = draft.clusterName ?? draft.customer ?? stack;
  if (mayDestroy !== undefined && mayDestroy !== cluster) {
    yield {
      path: "mayDestroy",
      cause: `names ${quote(mayDestroy)}, but this cluster is ${quote(cluster)}`,
      mend: `write \`${cluster}\` if this cluster shall be destroyed, or remove the line`,
    };
  }
}
