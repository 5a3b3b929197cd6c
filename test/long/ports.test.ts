import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { temporaryFolder } from "../support/folder";
import { servers } from "../lab/standing";
import { cluster, lab, open, stackFile } from "../lab/support";
import { unnoticed } from "../lab/unnoticed";

describe("another port of the applications", () => {
  const folder = temporaryFolder();

  after(() => folder.remove());

  for (const [port, old, file] of [
    [9000, 8080, stackFile().set("appServers.app.port", 9000)],
    [8080, 9000, stackFile()],
  ] as const) {
    test(`${port} instead of ${old}: in one run, on the same servers, and unnoticed`, async (t) => {
      const stack = await open(file, folder.path);
      const before = await servers();
      await unnoticed(t, () => stack.up());
      assert.deepEqual(await servers(), before);
      for (const name of cluster.appServers) {
        const rules = await lab.on(name, "ss -Hltn; nft list table inet ha_cluster");
        assert.match(rules, new RegExp(`:${port} `));
        assert.doesNotMatch(rules, new RegExp(`\\b${old}\\b`));
      }
      const groups = await lab.openstack<{ "Port Range": string }[]>("security", "group", "rule", "list");
      const ranges = groups.map((each) => each["Port Range"]);
      assert.deepEqual([ranges.includes(`${port}:${port}`), ranges.includes(`${old}:${old}`)], [true, false]);
      await stack.up(["--expect-no-changes"]);
    });
  }
});
