import { z } from "zod";
import { fields, type Field } from "./fields";
import type { PathPart } from "./words";

/*
 * Reads the schema as data: which keys there are at a path, what belongs there, which default a key has.
 * zod describes `def` for this use: https://zod.dev/packages/core
 */

type Def =
  | { type: "object"; shape: Record<string, z.ZodType> }
  | { type: "record"; valueType: z.ZodType }
  | { type: "array"; element: z.ZodType }
  | { type: "union"; options: z.ZodType[] }
  | { type: "optional"; innerType: z.ZodType }
  | { type: "default" | "prefault"; innerType: z.ZodType; defaultValue: unknown }
  | { type: "string" | "number" | "boolean" | "custom" };

function def(schema: z.ZodType): Def {
  return schema.def as unknown as Def;
}

/** The schema without `optional` and `default` around it. */
function unwrap(schema: z.ZodType): z.ZodType {
  const inner = def(schema);
  return "innerType" in inner ? unwrap(inner.innerType) : schema;
}

function child(schema: z.ZodType, part: PathPart): z.ZodType | undefined {
  const inner = def(schema);
  switch (inner.type) {
    case "object":
      return Object.hasOwn(inner.shape, part) ? inner.shape[part] : undefined;
    case "record":
      return inner.valueType;
    case "array":
      return inner.element;
    case "union":
      return inner.options.map((option) => child(unwrap(option), part)).find((found) => found !== undefined);
    default:
      return undefined;
  }
}

export function schemaAt(schema: z.ZodType, path: readonly PathPart[]): z.ZodType | undefined {
  return path.reduce<z.ZodType | undefined>((at, part) => {
    const next = at && child(at, part);
    return next && unwrap(next);
  }, unwrap(schema));
}

/** What belongs at a path, in words; `undefined` where the schema ends. */
export function fieldAt(schema: z.ZodType, path: readonly PathPart[]): Field | undefined {
  const found = schemaAt(schema, path);
  return found && fields.get(found);
}

/** Whether the value at a path, or anything around it, must not be shown. */
export function isHidden(schema: z.ZodType, path: readonly PathPart[]): boolean {
  return path.some((_, depth) => {
    const field = fieldAt(schema, path.slice(0, depth + 1));
    return field?.secret === true || field?.hidden === true;
  });
}

/** The fixed keys of the map at a path; `undefined` where its keys are names that the operator chooses. */
export function knownKeys(schema: z.ZodType, path: readonly PathPart[]): string[] | undefined {
  const found = schemaAt(schema, path);
  if (!found) return undefined;
  const inner = def(found);
  return inner.type === "object" ? Object.keys(inner.shape).sort() : undefined;
}

/** Puts the defaults of absent keys into a stack file that has faults; a key that is there but broken stays broken. */
export function fillDefaults(schema: z.ZodType, value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const inner = def(unwrap(schema));
  const values = value as Record<string, unknown>;
  if (inner.type === "record") {
    for (const item of Object.values(values)) fillDefaults(inner.valueType, item);
  } else if (inner.type === "object") {
    for (const [key, field] of Object.entries(inner.shape)) {
      const outer = def(field);
      if (!Object.hasOwn(values, key) && "defaultValue" in outer) values[key] = structuredClone(outer.defaultValue);
      fillDefaults(field, values[key]);
    }
  }
}

/** Every key that holds a value, with its fixed default; names that the operator chooses are `<name>`. */
export function allKeys(schema: z.ZodType, prefix = ""): { key: string; fallback?: unknown }[] {
  const inner = def(unwrap(schema));
  if (inner.type === "record") return allKeys(inner.valueType, `${prefix}.<name>`);
  if (inner.type !== "object") return [{ key: prefix }];
  return Object.entries(inner.shape).flatMap(([key, field]) => {
    const outer = def(field);
    const found = allKeys(field, prefix === "" ? key : `${prefix}.${key}`);
    return outer.type === "default" && found.length === 1
      ? found.map((leaf) => ({ ...leaf, fallback: outer.defaultValue }))
      : found;
  });
}
