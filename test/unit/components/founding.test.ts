import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { changeOf } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import { readNodeFiles } from "../../../node/files";
import { plan } from "../../../plan/plan";
import { ipv4Only, specOf } from "../../support/specs";

const ignored: Record<string, string[] | undefined> = {};
const seen: { name: string; inputs: Record<string, unknown> }[] = [];

before(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => {
      seen.push({ name, inputs: inputs as Record<string, unknown> });
      return { id: `${name}-id`, state: { ...(inputs as object), name } };
    },
    call: ({ token, inputs }) => ({ ...(inputs as object), id: token }),
  });
  const { Cluster } = await import("../../../components/cluster");
  await pulumi.runtime.runInPulumiStack(() => {
    // Mocks do not see options.
    pulumi.runtime.registerStackTransformation(({ name, opts }) => {
      if (name.endsWith("-founding")) ignored[name] = opts.ignoreChanges;
      return undefined;
    });
    const planned = plan(specOf(ipv4Only()));
    new Cluster("cluster", {
      plan: planned,
      secrets: { root: "a root secret of the tests, 32 long", certificateKeys: { www: "key" } },
      nodeFiles: readNodeFiles(),
      change: { ...changeOf(planned, deployed([])), founded: true, foundedGroups: ["app"] },
      begun: { number: 1, left: {}, steps: [] },
      mayDestroy: false,
    });
    return Promise.resolve({});
  });
  await pulumi.runtime.disconnect();
});

test("in a stack whose servers were pushed to before its state knew of their founding, no machine may found", () => {
  const founding = seen.filter(({ name }) => name.endsWith("-founding"));
  assert.deepEqual(Object.fromEntries(founding.map(({ name, inputs }) => [name, inputs.create])), {
    "database-founding": "echo the cluster exists",
    "app-founding": "echo the group has a release",
  });
  const all = ["connection", "create", "update", "addPreviousOutputInEnv", "triggers"];
  assert.deepEqual(ignored, { "database-founding": all, "app-founding": all });
  assert.ok(!seen.some(({ inputs }) => String(inputs.create).includes("founding")));
});
