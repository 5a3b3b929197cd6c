import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { changeOf } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import { readNodeFiles } from "../../../node/files";
import { plan } from "../../../plan/plan";
import { ALL_SECRETS } from "../../support/changes";
import { existing, specOf } from "../../support/specs";

interface Seen {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

describe("resource graph on load balancers that somebody else built", () => {
  const seen: Seen[] = [];

  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: ({ type, name, inputs }) => {
        seen.push({ type, name, inputs: inputs as Record<string, unknown> });
        return { id: `${name}-id`, state: { ...(inputs as object), name } };
      },
      call: ({ token, inputs }) => ({ ...(inputs as object), id: token }),
    });
    const { Cluster } = await import("../../../components/cluster");
    await pulumi.runtime.runInPulumiStack(() => {
      const planned = plan(specOf(existing()));
      new Cluster("cluster", {
        plan: planned,
        nodeFiles: readNodeFiles(),
        change: changeOf(planned, deployed([])),
        begun: { number: 1, left: {}, steps: [], made: [] },
        mayDestroy: false,
        secrets: ALL_SECRETS,
      });
      return Promise.resolve({});
    });
    await pulumi.runtime.disconnect();
  });

  const commands = (suffix: string): Seen[] =>
    seen.filter(({ type, name }) => type === "command:remote:Command" && name.endsWith(suffix));

  test("nothing is made in a cloud, nor is one asked", () => {
    assert.deepEqual(
      seen.filter(({ type }) => type.includes("openstack")),
      [],
    );
  });

  test("the way back is a resource of its own, which nothing replaces, and no other has one", () => {
    assert.equal(commands("-adoption").length, 3);
    for (const { inputs } of commands("-adoption")) {
      assert.match(String(inputs.delete), /leave\.sh$/);
      assert.equal(inputs.triggers, undefined);
    }
    for (const suffix of ["-scripts", "-secrets", "-config"]) {
      assert.equal(commands(suffix).length, 3);
      for (const { inputs } of commands(suffix)) assert.equal(inputs.delete, undefined);
    }
  });

  test("no file but ours is pushed, and each is kept before", () => {
    const paths = (text: string): string[] => [...text.matchAll(/^==> (\/\S+) /gm)].map(([, path]) => path!);
    const { inputs } = commands("-config")[0]!;
    const pushed = paths(String(inputs.stdin));
    assert.deepEqual(pushed, [
      "/etc/ha-cluster/addresses",
      "/etc/ha-cluster/listeners",
      "/etc/ha-cluster/networks",
      "/etc/ha-cluster/vips",
      "/etc/haproxy/haproxy.cfg",
      "/etc/keepalived/keepalived.conf",
      "/etc/network/interfaces.d/ha-cluster",
      "/etc/systemd/system/keepalived.service.d/ha-cluster.conf",
    ]);
    const kept = String(commands("-adoption")[0]!.inputs.stdin);
    for (const path of [...pushed, "/etc/keepalived/password.conf", "/etc/haproxy/certs/www.pem"])
      assert.ok(kept.includes(`OURS=${path}\n`), path);
  });

  test("the password of the hand-made files travels as a secret alone", () => {
    for (const { name, inputs } of seen.filter(({ type }) => type === "command:remote:Command")) {
      const open = JSON.stringify({ ...inputs, connection: undefined });
      assert.equal(open.includes("hunter2"), name.endsWith("-secrets"), name);
    }
  });
});
