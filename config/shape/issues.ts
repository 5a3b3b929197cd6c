import type { z } from "zod";
import type { Problem } from "../problems";
import { Encrypted } from "../encrypted";
import type { Fault } from "./fields";
import { fieldAt, isHidden, knownKeys } from "./introspect";
import { stackFile } from "./schema";
import { describe, listNames, nearest, pathText, type PathPart } from "./words";

/** A problem of shape, and which part of the file can't be used because of it. */
export interface Finding {
  kind: "unknown" | "missing" | "wrong";
  path: PathPart[];
  problem: Problem;
  /** Of an unknown key: the key that was probably meant. */
  meant?: string;
}

type Issue = z.core.$ZodIssue;

export function explain(issue: Issue, raw: unknown): Finding[] {
  return translate(issue, [], raw);
}

function translate(issue: Issue, prefix: readonly PathPart[], raw: unknown): Finding[] {
  const path = [...prefix, ...(issue.path as PathPart[])];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(path, key));
    case "invalid_union": {
      // The alternative that got furthest is the one the operator meant: a map with one bad value is a bad map, not a bad text.
      const deepest = issue.errors.find((issues) => issues.some((inner) => inner.path.length > 0));
      const rule = issue.errors.flat().find((inner) => inner.code === "custom");
      if (deepest) return deepest.flatMap((inner) => translate(inner, path, raw));
      return rule ? translate(rule, path, raw) : [missingOrWrongType(path, raw)];
    }
    case "custom": {
      const fault = issue.params as Fault | undefined;
      return fault
        ? [{ kind: "wrong", path, problem: { path: pathText(path), cause: fault.cause, mend: fault.mend } }]
        : [missingOrWrongType(path, raw)];
    }
    default:
      return [missingOrWrongType(path, raw)];
  }
}

/** A key that the schema has no place for. */
export function unknownKey(parent: readonly PathPart[], key: string): Finding {
  const path = [...parent, key];
  const known = knownKeys(stackFile, parent) ?? [];
  const meant = nearest(key, known);
  return {
    kind: "unknown",
    path,
    meant,
    problem: {
      path: pathText(path),
      cause: "is no key that this program knows",
      mend: meant === undefined ? `remove it; known here: ${listNames(known)}` : `did you mean \`${meant}\`?`,
    },
  };
}

function missingOrWrongType(path: PathPart[], raw: unknown): Finding {
  const field = fieldAt(stackFile, path) ?? { what: "something else", example: "…" };
  const key = path.at(-1);
  const namespace = path.length === 1 ? "ha-cluster:" : "";
  const line = typeof key === "string" ? `${namespace}${key}: ${field.example}` : field.example;
  const { present, value } = lookUp(raw, path);
  const at = { path: pathText(path) || "(stack file)" };
  if (!present) {
    const howTo = field.secret === true ? setSecret(path) : `write for example \`${line}\``;
    return { kind: "missing", path, problem: { ...at, cause: `is missing; ${field.what} belongs here`, mend: howTo } };
  }
  if (value === null || value === undefined || value === "") {
    return {
      kind: "wrong",
      path,
      problem: { ...at, cause: `has no value; ${field.what} belongs here`, mend: `write for example \`${line}\`` },
    };
  }
  const cause = `is ${describe(value, !isHidden(stackFile, path))}; ${field.what} belongs here`;
  return { kind: "wrong", path, problem: { ...at, cause, mend: mendType(value, line, key, field.example) } };
}

function mendType(value: unknown, line: string, key: PathPart | undefined, example: string): string {
  const as = (text: string) => (typeof key === "string" ? `\`${key}: ${text}\`` : `\`${text}\``);
  const otherwise = `write for example \`${line}\``;
  if (value instanceof Encrypted) return `it is no secret: set it again without --secret, for example \`${line}\``;
  if (/^\d+$/.test(example)) {
    return typeof value === "string" && /^\d+(\.\d+)?$/.test(value)
      ? `write it without quotes: ${as(String(Number(value)))}`
      : otherwise;
  }
  if (example === "true") {
    return value === "yes" || value === "no" ? `write ${as(String(value === "yes"))}` : otherwise;
  }
  if (example.startsWith("["))
    return typeof value === "string" ? `make it a list: put [ and ] around it, for example \`${line}\`` : otherwise;
  if (example.startsWith("{")) return otherwise;
  // A text is wanted. YAML reads `1` as a number, and `a: b` or a trailing colon as a map.
  if (typeof value === "number" || typeof value === "boolean")
    return `write it in quotes if you mean it: ${as(`"${value}"`)}`;
  return otherwise;
}

/** How to set a secret so that it is never on a command line. */
export function setSecret(path: readonly PathPart[]): string {
  const nested = path.length > 1 ? "--path " : "";
  return `set it with \`pulumi config set --secret ${nested}ha-cluster:${pathText(path)} < FILE\``;
}

function lookUp(raw: unknown, path: readonly PathPart[]): { present: boolean; value?: unknown } {
  let value = raw;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return { present: false };
    value = (value as Record<PathPart, unknown>)[part];
  }
  return { present: true, value };
}
