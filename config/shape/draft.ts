import type { Problem } from "../problems";
import { Encrypted } from "../encrypted";
import { fillDefaults } from "./introspect";
import { explain, unknownKey, type Finding } from "./issues";
import { stackFile, type StackFile } from "./schema";
import { pathText, type PathPart } from "./words";

/**
 * A stack file as far as it is usable: with fixed defaults, without unknown keys, and `undefined` for what is missing or
 * of the wrong type. A broken entry keeps its key, so that what refers to it by name is not reported on top.
 */
export type Draft = Partially<StackFile>;

type Partially<T> = T extends Encrypted
  ? T
  : T extends (infer Item)[]
    ? (Partially<Item> | undefined)[]
    : T extends object
      ? { [Key in keyof T]?: Partially<T[Key]> }
      : T;

/** `stackFile` only when the shape has no problem. */
export interface Shape {
  draft: Draft;
  stackFile?: StackFile;
  problems: Problem[];
}

export function readShape(raw: unknown): Shape {
  const impossible: Finding[] = [];
  const draft = copy(raw, [], impossible);
  const parsed = stackFile.safeParse(draft);
  const findings = [...impossible, ...(parsed.error?.issues ?? []).flatMap((issue) => explain(issue, draft))];
  for (const finding of findings) prune(draft, finding);
  fillDefaults(stackFile, draft);
  return {
    draft: isMap(draft) ? draft : {},
    stackFile: findings.length === 0 ? parsed.data : undefined,
    problems: withoutEchoes(findings).map((finding) => finding.problem),
  };
}

/** A misspelt key is one mistake, not two: the key that it was meant to be is not reported as missing. */
function withoutEchoes(findings: Finding[]): Finding[] {
  const meant = new Set(
    findings.flatMap((finding) =>
      finding.meant === undefined ? [] : [pathText([...finding.path.slice(0, -1), finding.meant])],
    ),
  );
  return findings.filter((finding) => finding.kind !== "missing" || !meant.has(finding.problem.path));
}

/** A deep copy to prune; leaves out `__proto__` as a key, which zod would skip in silence. */
function copy(value: unknown, path: PathPart[], impossible: Finding[]): unknown {
  if (Array.isArray(value)) return value.map((item, index) => copy(item, [...path, index], impossible));
  if (!isMap(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === "__proto__") impossible.push(unknownKey(path, key));
    else if (item !== undefined) result[key] = copy(item, [...path, key], impossible);
  }
  return result;
}

function prune(draft: unknown, finding: Finding): void {
  if (finding.kind === "missing") return;
  let holder: unknown = draft;
  for (const part of finding.path.slice(0, -1)) {
    if (typeof holder !== "object" || holder === null) return;
    holder = (holder as Record<PathPart, unknown>)[part];
  }
  const last = finding.path.at(-1);
  if (typeof holder !== "object" || holder === null || last === undefined) return;
  const values = holder as Record<PathPart, unknown>;
  if (finding.kind === "unknown") Reflect.deleteProperty(values, last);
  else values[last] = undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Encrypted);
}

/** The entries of a map in the order of their names, so that messages have the same order whatever the file's. */
export function sortedEntries<T>(map: Record<string, T> | undefined): [name: string, value: T][] {
  return Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

export function names(map: Record<string, unknown> | undefined): string[] {
  return Object.keys(map ?? {}).sort();
}

/** Whether a key is there at all, even with a value that can't be used. */
export function isGiven<T extends object>(map: T | undefined, key: keyof T): boolean {
  return map !== undefined && Object.hasOwn(map, key);
}
