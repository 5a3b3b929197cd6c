import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { type Change, changeOf } from "../../../change/change";
import { deployed, type Resource } from "../../../change/deployed";
import { readNodeFiles } from "../../../node/files";
import { plan } from "../../../plan/plan";
import { dualStack, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

/*
 * Which servers the engine may make anew, and for what. Who is resized by Nova, and who rebuilt in place, which must never be,
 * is decided by these options; what comes of them is shown on the embedded cloud.
 */

const NEWER = "debian-12-next";
const CLOUD = { images: { "debian-12": "id-of-debian-12", [NEWER]: "id-of-the-newer" }, zones: {} };
const KEPT = ["imageName", "imageId", "userData", "metadata", "keyPair", "schedulerHints", "availabilityZone"];

interface Server {
  inputs: Record<string, unknown>;
  ignored: string[];
  replacing: string[];
}

const servers = new Map<string, Server>();

/** db-dc3 was never finished; lb-dc1 may be replaced by a repair; the file wants another image for all, and names app-dc1-1. */
function change(finished: boolean, adopted: boolean): { change: Change; planned: ReturnType<typeof plan> } {
  const state = (all: Resource[]): Resource[] =>
    all
      .filter(({ urn }) => finished || !urn.endsWith("::db-dc3-config"))
      .map((each) =>
        adopted && each.urn.endsWith("Instance::db-dc3")
          ? { ...each, outputs: { ...each.outputs, allMetadata: { "ha-cluster-adopted": "yes" } } }
          : each,
      );
  const standing = deployed(state(stateOf(plan(specOf(dualStack())))));
  const flavor = { dc1: "m1.small", dc2: "m1.medium", dc3: "m1.small" };
  const spec = specOf(dualStack({ image: NEWER, mayReplace: ["app-dc1-1"], database: { flavor } }));
  const intent = { mayDelete: [], mayReplace: spec.mayReplace, mayRepair: ["dev-lb-dc1"] };
  const planned = plan(spec);
  return { change: changeOf(planned, standing, intent, CLOUD), planned };
}

async function build(finished: boolean, { adopted = false } = {}): Promise<void> {
  servers.clear();
  const options = new Map<string, Pick<Server, "ignored" | "replacing">>();
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      if (type === "openstack:compute/instance:Instance")
        servers.set(name, { ...options.get(name)!, inputs: inputs as Record<string, unknown> });
      return { id: `${name}-id`, state: { ...(inputs as object), name } };
    },
    call: ({ token, inputs }) => ({ ...(inputs as object), id: token }),
  });
  const { Cluster } = await import("../../../components/cluster");
  await pulumi.runtime.runInPulumiStack(() => {
    // Mocks do not see options.
    pulumi.runtime.registerStackTransformation(({ type, name, opts }) => {
      const { ignoreChanges = [], replaceOnChanges = [] } = opts as pulumi.CustomResourceOptions;
      if (type === "openstack:compute/instance:Instance")
        options.set(name, { ignored: ignoreChanges, replacing: replaceOnChanges });
      return undefined;
    });
    const made = change(finished, adopted);
    new Cluster("cluster", {
      plan: made.planned,
      secrets: { root: "a root secret of the tests, 32 long", certificateKeys: { www: "key" } },
      nodeFiles: readNodeFiles(),
      change: made.change,
      begun: { number: 1, left: {}, steps: [], made: [] },
      mayDestroy: false,
    });
    return Promise.resolve({});
  });
  await pulumi.runtime.disconnect();
}

before(() => build(true));

test("who stays is not touched for an image, and resized alone", () => {
  const { ignored, replacing, inputs } = servers.get("db-dc2")!;
  assert.deepEqual([ignored, replacing], [[...KEPT, "networks"], []]);
  assert.equal(inputs.flavorName, "m1.medium");
});

test("who is brought to another image is made anew for it, with the ports that there are, and not rebuilt in place", () => {
  const { ignored, replacing, inputs } = servers.get("app-dc1-1")!;
  assert.deepEqual([ignored, replacing], [[], ["imageName", "imageId"]]);
  assert.deepEqual([inputs.imageId, inputs.imageName], ["id-of-the-newer", undefined]);
});

test("who may be replaced by a repair gets what the file says too", () => {
  const { ignored, replacing } = servers.get("lb-dc1")!;
  assert.deepEqual([ignored, replacing], [[], ["imageName", "imageId"]]);
});

test("while another was never finished, that one follows the file, and the others keep image and flavor", async () => {
  await build(false);
  assert.deepEqual(servers.get("db-dc3")!.replacing, ["imageName", "imageId"]);
  assert.deepEqual(servers.get("app-dc1-1")!.ignored, [...KEPT, "networks", "flavorName"]);
  assert.deepEqual(servers.get("db-dc2")!.ignored, [...KEPT, "networks", "flavorName"]);
});

test("one that was found in the cloud may have data: it stays as it is, whatever the file says by now", async () => {
  await build(false, { adopted: true });
  const { ignored, replacing } = servers.get("db-dc3")!;
  assert.deepEqual(replacing, []);
  for (const key of KEPT) assert.ok(ignored.includes(key), key);
});
