import type { Problem } from "../../config/problems";
import type { Plan, PlannedLoadBalancer } from "../plan";

/** A problem of the plan itself: two layers that were made from one stack file do not agree. */
export function contradiction(path: string, cause: string, file: string): Problem {
  return { path, cause, mend: `the stack file is not at fault: mend ${file}, and don't push this plan` };
}

/** Looks at every load balancer; what is wrong on several in the same way is one problem that names them. */
export function onEach(
  { loadBalancers }: Pick<Plan, "loadBalancers">,
  check: (node: PlannedLoadBalancer) => Iterable<Problem>,
): Iterable<Problem> {
  const found = new Map<string, { problem: Problem; on: Set<string> }>();
  for (const node of loadBalancers) {
    for (const problem of check(node)) {
      const key = `${problem.path}\0${problem.cause}`;
      const known = found.get(key) ?? { problem, on: new Set() };
      found.set(key, { ...known, on: known.on.add(node.id) });
    }
  }
  return [...found.values()].map(({ problem, on }) => ({
    ...problem,
    cause: `${[...on].sort().join(", ")}: ${problem.cause}`,
  }));
}

/** The values of a list that stand there more than once. */
export function repeated<T>(values: Iterable<T>): T[] {
  const seen = new Set<T>();
  const again = new Set<T>();
  for (const value of values) (seen.has(value) ? again : seen).add(value);
  return [...again];
}

export function groupBy<T, Key>(items: Iterable<T>, key: (item: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
