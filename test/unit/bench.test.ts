import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { vary, varyBundle } from "../../bench/push/variant";
import { shown, spread, table } from "../../bench/report";
import { groups, sized, SMALLEST } from "../../bench/stack";
import { readStackFile } from "../../config/file";
import { ROOT } from "../../operate/lab/places";
import { StackFile } from "../../harness/stackFile";
import { load } from "../../plan/load";
import type { Plan } from "../../plan/plan";
import { bundle, type ConfigFile } from "../../render/bundle";
import { loadBalancerFiles } from "../../render/files";
import { temporaryFolder } from "../support/folder";

function planOf(servers: number): Plan {
  const folder = temporaryFolder();
  try {
    const file = sized(StackFile.read(join(ROOT, "Pulumi.dev.yaml")), servers).write(join(folder.path, "stack.yaml"));
    const { plan, problems } = load(readStackFile(file).raw, "bench", new Date());
    assert.ok(plan, JSON.stringify(problems));
    return plan;
  } finally {
    folder.remove();
  }
}

describe("stack files of the benchmarks", () => {
  for (const servers of [SMALLEST, 30, 300]) {
    test(`${servers} servers`, () => {
      const { loadBalancers, databases, appServers } = planOf(servers);
      assert.equal(loadBalancers.length + databases.length + appServers.length, servers);
    });
  }

  test("groups are as even over datacenters as can be", () => {
    assert.deepEqual(groups(65), [
      { dc1: 20, dc2: 20, dc3: 20 },
      { dc1: 2, dc2: 2, dc3: 1 },
    ]);
  });
});

describe("variants of files", () => {
  const plan = planOf(SMALLEST);
  const files = loadBalancerFiles(plan, plan.loadBalancers[0]!);
  const text = (each: ConfigFile[], path: string): string => each.find((file) => file.path === path)!.text;

  test("a bundle varies as its files do", () => {
    for (const variant of ["base", "full", "line"] as const) {
      assert.equal(varyBundle(bundle(files), variant), bundle(files.map((file) => vary(file, variant))));
    }
    assert.equal(varyBundle(bundle(files), "base"), bundle(files));
  });

  test("a full push changes every file", () => {
    for (const file of files) assert.notEqual(vary(file, "full").text, file.text, file.path);
  });

  test("a line is one line of haproxy.cfg", () => {
    const varied = files.map((file) => vary(file, "line"));
    const changed = files.filter((file) => text(varied, file.path) !== file.text).map((file) => file.path);
    assert.deepEqual(changed, ["/etc/haproxy/haproxy.cfg"]);
    const [before, after] = [files, varied].map((each) => text(each, changed[0]!).split("\n"));
    assert.equal(before!.filter((line, index) => line !== after![index]).length, 1);
  });
});

describe("the report", () => {
  test("the median of an even number of values is the mean of the middle two", () => {
    assert.deepEqual(spread([4, 1, 3, 2]), { min: 1, median: 2.5, max: 4 });
    assert.deepEqual(spread([3, 1, 2]), { min: 1, median: 2, max: 3 });
    assert.throws(() => spread([]));
  });

  test("a table", () => {
    const rows = [["full push", shown(spread([1, 2, 3]), 1)]];
    assert.equal(
      table(["push", "time"], rows),
      ["| push      |          time |", "| --------- | ------------: |", "| full push | 2.0 (1.0–3.0) |"].join("\n"),
    );
  });
});
