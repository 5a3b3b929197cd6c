import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { deployed } from "../../../change/deployed";
import { HALF_RECOVERED } from "../../../plan/mark";
import { assertSame } from "../../../recover/decide";
import { inTheCloud } from "../../../recover/settle";
import { type Resource, withAdopted } from "../../../recover/state";
import { cutShort, nothingThere, urnOf } from "./project";

const INSTANCE = "openstack:compute/instance:Instance";

test("another cloud is not taken for the one that the state is of", () => {
  const { deployment, cloud } = cutShort(2, () => "done");
  assertSame(deployment, cloud);
  assertSame({ resources: deployment.resources!.slice(0, 4) }, nothingThere());
  cloud.servers = [];
  cloud.ports = [];
  assertSame(deployment, cloud);
  cloud.rules = [];
  assert.throws(() => assertSame(deployment, cloud), /^Error: nothing was changed: 6 of 10 things .*right one/);
});

test("what is taken into the state is marked until it was read: a run before that is refused, and a server kept as it is", () => {
  const { deployment, cloud } = cutShort(1, (name) => (name === "app-1" ? "made" : "done"));
  const { deployment: after } = inTheCloud(deployment, cloud);
  const server = after.resources!.find(({ type }) => type === INSTANCE)!;
  assert.deepEqual(server.initErrors, [HALF_RECOVERED]);
  assert.deepEqual(deployed(after.resources!).begun, ["app-1"]);
  delete server.initErrors;
  assert.deepEqual(deployed(after.resources!).begun, []);

  const name = "ha-cluster:index:AppServer$ha-cluster:openstack:Machine$";
  const urn = server.urn.replace("openstack:compute", `${name}openstack:compute`);
  const standing = (more: Partial<Resource>): unknown => {
    const [found] = deployed([{ ...server, urn, ...more }]).servers;
    return [found!.failed, found!.adopted];
  };
  assert.deepEqual(standing({ initErrors: [HALF_RECOVERED] }), [undefined, undefined]);
  assert.deepEqual(standing({ outputs: { allMetadata: { "ha-cluster-adopted": "yes" } } }), [undefined, true]);
});

describe("what stands in the state until the first refresh", () => {
  const userData = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    plaintext: '"#cloud-config"',
  };
  const inputs = { __defaults: [], name: "dev-app-1", networks: [{ __defaults: [], port: "p" }], userData };
  const server: Resource = { urn: urnOf(INSTANCE, "app-1"), type: INSTANCE, inputs };

  test("are its inputs, as the provider has them: user data as its SHA-1, and secret", () => {
    const [made] = withAdopted({ resources: [] }, [{ resource: server, id: "s" }]).resources!;
    assert.deepEqual(made!.inputs, inputs);
    const { userData: hash, ...outputs } = made!.outputs!;
    assert.deepEqual(outputs, { name: "dev-app-1", networks: [{ port: "p" }], id: "s" });
    const sha1 = createHash("sha1").update("#cloud-config").digest("hex");
    assert.deepEqual(hash, { ...userData, plaintext: JSON.stringify(sha1) });
  });

  test("are the outputs that it had, where it had some", () => {
    const before = { ...server, id: "old", outputs: { name: "dev-app-1", created: "then", id: "old" } };
    const [made] = withAdopted({ resources: [before] }, [{ resource: before, id: "s", instead: "old" }]).resources!;
    assert.deepEqual(made!.outputs, { name: "dev-app-1", created: "then", id: "s" });
  });
});
