/** One thing wrong with a stack's configuration, in the words an operator needs at 3 a.m. */
export interface Problem {
  /**
   * Where: the key as it stands in the stack file, without the namespace, e.g. `vips.www.ipv6` or `nameservers[0]`;
   * in parentheses when it is not at a key, e.g. `(line 12)`.
   */
  path: string;
  /** What is wrong, with the offending value unless it is a secret. */
  cause: string;
  /** What to write instead. */
  mend: string;
}

/** All problems as one message, sorted by path so that the same file always gives the same text. */
export function formatProblems(problems: readonly Problem[], source: string): string {
  // The language is fixed, since the order would otherwise depend on the machine's.
  const sorted = [...problems].sort(
    (a, b) => a.path.localeCompare(b.path, "en", { numeric: true }) || a.cause.localeCompare(b.cause, "en"),
  );
  const count = sorted.length === 1 ? "1 problem" : `${sorted.length} problems`;
  return `${source}: ${count}, nothing was changed\n${sorted.map(formatProblem).join("\n")}`;
}

/** One problem, indented, or a warning. */
export function formatProblem({ path, cause, mend }: Problem): string {
  return `  ${path.startsWith("(") ? "" : "ha-cluster:"}${path}\n    ${cause}\n    → ${mend}`;
}

/** One problem for each path: of servers that have the same cause in the file, the first is enough. */
export function firstOfEach(problems: readonly Problem[]): Problem[] {
  const first = new Map<string, Problem>();
  for (const each of problems) if (!first.has(each.path)) first.set(each.path, each);
  return [...first.values()];
}
