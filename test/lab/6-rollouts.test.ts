import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { type StackFile } from "../../harness/stackFile";
import { temporaryFolder } from "../support/folder";
import { open, stackFile } from "./support";
import { unnoticed } from "./unnoticed";

describe("a rollout that clients don't notice", () => {
  const folder = temporaryFolder();

  after(() => folder.remove());

  for (const [what, change] of [
    ["another health check and other timers", slower],
    ["back to what was before", (file: StackFile) => file],
  ] as const) {
    test(what, async (t) => {
      const stack = await open(change(stackFile()), folder.path);
      const { mastership } = await unnoticed(t, () => stack.up());
      assert.ok(mastership.handovers > 0, "the active load balancer was changed too");
    });
  }
});

function slower(file: StackFile): StackFile {
  return file.set("vrrp", { advertInterval: 2 }).set("services.web.healthCheck", "/healthz?by=haproxy");
}
