import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Encrypted } from "../../../config/encrypted";
import { formatProblems } from "../../../config/problems";
import { validate } from "../../../config/validate";
import { goodStack } from "./fixtures/bad-stacks";

type Container = Record<string | number, unknown>;

const good = goodStack();
const json = fc.jsonValue({ maxDepth: 4 });

/** Every place of a value, the root's children first. */
function places(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null || value instanceof Encrypted) return [path];
  const keys = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  const inside = keys.flatMap((key) => places((value as Container)[key], [...path, key]));
  return path.length === 0 ? inside : [path, ...inside];
}

function replaced(value: unknown, path: (string | number)[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === key ? replaced(item, rest, by) : item));
  return { ...(value as Container), [key]: replaced((value as Container)[key], rest, by) };
}

/** The good stack with arbitrary values at some of its places. */
const damaged = fc
  .array(
    fc.tuple(
      fc.constantFrom(...places(good)),
      fc.oneof(json, fc.constantFrom(...places(good).map((path) => String(path.at(-1))))),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((changes) =>
    changes.reduce<Record<string, unknown>>((stack, [path, by]) => {
      // A place may be gone with an earlier change.
      const holder = path.slice(0, -1).reduce<unknown>((at, key) => (at as Container | null | undefined)?.[key], stack);
      return typeof holder === "object" && holder !== null
        ? (replaced(stack, path, by) as Record<string, unknown>)
        : stack;
    }, good),
  );

function assertSound(raw: unknown): void {
  const result = validate(raw as Record<string, unknown>, "dev");
  assert.equal(result.spec === undefined, result.problems.length > 0);
  for (const { path, cause, mend } of result.problems) {
    assert.ok(path !== "" && cause !== "" && mend !== "", JSON.stringify({ path, cause, mend }));
    assert.doesNotMatch(`${cause} ${mend}`, /\n|undefined|\[object Object\]/);
  }
  formatProblems(result.problems, "Pulumi.dev.yaml");
}

test("whatever JSON comes in, validate answers", () => {
  fc.assert(
    fc.property(
      fc.oneof(json, fc.dictionary(fc.constantFrom(...Object.keys(good), "__proto__", "vip"), json)),
      assertSound,
    ),
    { numRuns: 300 },
  );
});

test("whatever is damaged in a good stack, validate answers", () => {
  fc.assert(fc.property(damaged, assertSound), { numRuns: 500 });
});

test("the order of keys in the file changes neither the spec nor the problems", () => {
  const shuffled = (stack: Record<string, unknown>) =>
    fc
      .shuffledSubarray(Object.keys(stack), { minLength: Object.keys(stack).length })
      .map((keys) => Object.fromEntries(keys.map((key) => [key, stack[key]])));
  const reversed = (value: unknown): unknown =>
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Encrypted)
      ? Object.fromEntries(
          Object.entries(value)
            .reverse()
            .map(([key, item]) => [key, reversed(item)]),
        )
      : value;
  const pairs = fc
    .oneof(fc.constant(good), damaged)
    .chain((stack) => shuffled(stack).map((other) => [stack, reversed(other)] as const));
  fc.assert(
    fc.property(pairs, ([stack, other]) => {
      const texts = [stack, other].map((raw) => JSON.stringify(validate(raw as Record<string, unknown>, "dev")));
      assert.equal(texts[0], texts[1]);
    }),
    { numRuns: 200 },
  );
});
