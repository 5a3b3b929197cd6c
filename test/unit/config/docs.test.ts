import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { readStackFile } from "../../../config/file";
import { allKeys } from "../../../config/shape/introspect";
import { stackFile } from "../../../config/shape/schema";
import { validate } from "../../../config/validate";

const DOCS = path.join(__dirname, "../../../docs");

test("the example is a good stack, and has every key but those of special moments", () => {
  const { raw, problems } = readStackFile(path.join(DOCS, "examples/Pulumi.acme.yaml"));
  assert.deepEqual(problems, []);
  const { spec, problems: found } = validate(raw, "acme");
  assert.deepEqual(found, []);
  assert.equal(spec!.datacenters.length, 3);
  assert.deepEqual(
    [...Object.keys(raw), "clusterName", "mayDelete", "mayDestroy", "mayReplace", "quorumRisk"].sort(),
    Object.keys(stackFile.shape).sort(),
  );
});

test("the example of hosts that exist is a good stack", () => {
  const { raw, problems } = readStackFile(path.join(DOCS, "examples/Pulumi.existing.yaml"));
  assert.deepEqual(problems, []);
  const { spec, problems: found } = validate(raw, "acme");
  assert.deepEqual(found, []);
  assert.equal(spec!.machines.source, "existing");
});

describe("docs/configuration.md", () => {
  const rows = [
    ...readFileSync(path.join(DOCS, "configuration.md"), "utf8").matchAll(/^\| `([^`]+)` \|([^|]*)\|([^|]*)\|/gm),
  ];
  const documented = new Map(rows.map(([, key, , fallback]) => [key!, fallback!.trim()]));

  test("explains every key, and no other", () => {
    assert.deepEqual(
      [...documented.keys()].sort(),
      allKeys(stackFile)
        .map(({ key }) => key)
        .sort(),
    );
  });

  for (const { key, fallback } of allKeys(stackFile)) {
    if (fallback === undefined) continue;
    test(`gives the default of ${key}`, () => {
      assert.equal(documented.get(key), `\`${typeof fallback === "string" ? fallback : JSON.stringify(fallback)}\``);
    });
  }
});
