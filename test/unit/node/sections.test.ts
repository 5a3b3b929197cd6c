import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../../operate/lab/places";

test("every section that a refusal names is one of docs/recover.md", () => {
  const node = join(ROOT, "node");
  const scripts = readdirSync(node, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".sh"));
  const named = scripts.flatMap((path) =>
    [...readFileSync(join(node, path), "utf8").matchAll(/recover\.md of ha-cluster, "([^"]+)"/g)].map(
      ([, name]) => name!,
    ),
  );
  const sections = [...readFileSync(join(ROOT, "docs/recover.md"), "utf8").matchAll(/^## (.+)$/gm)].map(
    ([, name]) => name,
  );
  assert.deepEqual(named.sort(), ["A database refuses to start", "No database runs", "No release comes"]);
  for (const name of named) assert.ok(sections.includes(name), name);
});
