import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { changeOf } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import { readNodeFiles } from "../../../node/files";
import { plan } from "../../../plan/plan";
import { dualStack, specOf } from "../../support/specs";

interface Resource {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

describe("an internal network that was built as its upper half", () => {
  const seen = new Map<string, Resource>();
  const inputs = (name: string): Record<string, unknown> => seen.get(name)!.inputs;

  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: ({ type, name, inputs }) => {
        const values = inputs as Record<string, unknown>;
        seen.set(name, { type, name, inputs: values });
        return { id: `${name}-id`, state: { ...values, name } };
      },
      call: ({ token, inputs }) => ({ ...(inputs as object), id: token }),
    });
    const { Cluster } = await import("../../../components/cluster");
    await pulumi.runtime.runInPulumiStack(() => {
      const internal = { cidr: "198.51.100.0/24", builtAs: "198.51.100.128/25", vip: "198.51.100.129" };
      const planned = plan(specOf(dualStack({ internal, appServers: { app: {}, more: { slots: [5] } } })));
      new Cluster("cluster", {
        plan: planned,
        secrets: { root: "a root secret of the tests, 32 long", certificateKeys: { www: "key" } },
        nodeFiles: readNodeFiles(),
        change: changeOf(planned, deployed([])),
        begun: { number: 1, left: {}, steps: [] },
        mayDestroy: false,
      });
      return Promise.resolve({});
    });
    await pulumi.runtime.disconnect();
  });

  test("is two subnets, of which the one with the internal VIP has it as its gateway", () => {
    const subnets = [...seen.values()].filter(({ type }) => type === "openstack:networking/subnet:Subnet");
    assert.deepEqual(
      subnets.map(({ name, inputs: { cidr, gatewayIp, noGateway } }) => [name, cidr, gatewayIp ?? noGateway]),
      [
        ["internal-ipv4", "198.51.100.128/25", "198.51.100.129"],
        ["internal-ipv4-2", "198.51.100.0/25", true],
      ],
    );
  });

  test("has each server in the subnet that its address is in", () => {
    assert.deepEqual(inputs("db-dc1-internal").fixedIps, [
      { subnetId: "internal-ipv4-id", ipAddress: "198.51.100.149" },
    ]);
    assert.deepEqual(inputs("more-dc1-1-internal").fixedIps, [
      { subnetId: "internal-ipv4-2-id", ipAddress: "198.51.100.25" },
    ]);
  });

  test("is whole for each server from its first boot, once", () => {
    const commands = (name: string): string => {
      // Mocks see a secret as what the engine is sent.
      const { value } = inputs(name).userData as { value: string };
      const [, json] = /^#cloud-config\n(.*)\n$/.exec(value)!;
      const { bootcmd } = JSON.parse(json!) as { bootcmd: string[][] };
      assert.deepEqual(bootcmd[0]!.slice(0, 2), ["cloud-init-per", "instance"]);
      return bootcmd[0]!.at(-1)!;
    };
    assert.deepEqual(commands("more-dc1-1").split("; "), [
      "ip addr replace 198.51.100.25/24 dev eth0",
      "ip addr del 198.51.100.25/25 dev eth0",
      "ip route replace default via 198.51.100.129 dev eth0",
    ]);
    assert.doesNotMatch(commands("lb-dc1"), /default/);
  });
});
