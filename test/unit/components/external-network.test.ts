import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { changeOf } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import { readNodeFiles } from "../../../node/files";
import { plan } from "../../../plan/plan";
import { dualStack, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

interface Connection {
  host: string;
  proxy?: Connection;
}

describe("load balancers that move to another external network", () => {
  const registered: string[] = [];
  const seen = new Map<string, Record<string, unknown>>();

  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: ({ name, inputs }) => {
        registered.push(name);
        seen.set(name, inputs as Record<string, unknown>);
        return { id: `id-of-${name}`, state: { ...(inputs as object), name } };
      },
      call: ({ inputs }) => ({ ...(inputs as object), id: `id-of-${JSON.stringify(inputs)}` }),
    });
    const { Cluster } = await import("../../../components/cluster");
    await pulumi.runtime.runInPulumiStack(() => {
      const external = {
        ipv4: { cidr: "192.0.2.0/24", gateway: "192.0.2.1", former: "203.0.113.0/24" },
        ipv6: { prefix: "2001:db8:46::/48", gateway: "2001:db8:46::1", former: "2001:db8:45::/48" },
        vipRanges: ["203.0.113.96/28", "2001:db8:45:67bb::/64"],
      };
      const planned = plan(specOf(dualStack({ external })));
      new Cluster("cluster", {
        plan: planned,
        secrets: { root: "a root secret of the tests, 32 long", certificateKeys: { www: "key" } },
        nodeFiles: readNodeFiles(),
        change: changeOf(planned, deployed(stateOf(plan(specOf(dualStack()))))),
        begun: { number: 1, left: {}, steps: [], made: [] },
        mayDestroy: false,
      });
      return Promise.resolve({});
    });
    await pulumi.runtime.disconnect();
  });

  test("all have both before any gives its old ones back, each in its turn: first in Neutron, then on the machine", () => {
    const turns = registered.filter((name) => /^lb-dc\d-(between|external|config)$/.test(name));
    const balancers = ["lb-dc3", "lb-dc2", "lb-dc1"];
    assert.deepEqual(turns, [
      ...balancers.map((id) => `${id}-between`),
      ...balancers.flatMap((id) => [`${id}-external`, `${id}-config`]),
    ]);
    assert.deepEqual(
      (seen.get("lb-dc1-external")!.fixedIps as { ipAddress: string }[]).map(({ ipAddress }) => ipAddress),
      ["192.0.2.11", "2001:db8:46:b::1"],
    );
  });

  test("are reached by the old address until they have both, and by the new one from then on", () => {
    const way = (name: string): string[] => {
      // Mocks see a secret as what the engine is sent.
      const { value } = seen.get(name)!.connection as { value: Connection };
      const hosts = [];
      for (let at: Connection | undefined = value; at; at = at.proxy) hosts.push(at.host);
      return hosts;
    };
    assert.deepEqual(["lb-dc1-between", "lb-dc1-scripts", "lb-dc1-config", "app-dc1-1-config"].map(way), [
      ["203.0.113.11"],
      ["192.0.2.11"],
      ["192.0.2.11"],
      ["198.51.100.31", "192.0.2.11"],
    ]);
  });

  test("have the old ones without a route meanwhile, and look for their neighbours by both", () => {
    const text = seen.get("lb-dc1-between")!.stdin as string;
    assert.match(text, /^eth0 192\.0\.2\.11\/24 192\.0\.2\.1$/m);
    assert.match(text, /^eth0 2001:db8:46:b::1\/48 2001:db8:46::1$/m);
    assert.match(text, /^eth0 203\.0\.113\.11\/24 -$/m);
    assert.match(text, /^eth0 2001:db8:45:b::1\/48 -$/m);
    assert.match(text, /^external-ipv6 2001:db8:46:b::1 2001:db8:46::1 2001:db8:46:c::1 2001:db8:46:d::1$/m);
    assert.match(text, /^external-ipv6 2001:db8:45:b::1 - 2001:db8:45:c::1 2001:db8:45:d::1$/m);
    assert.match(text, /^external-ipv4 203\.0\.113\.11 - 203\.0\.113\.12 203\.0\.113\.13$/m);
    assert.doesNotMatch(seen.get("lb-dc1-config")!.stdin as string, /203\.0\.113\.1[123]\b|2001:db8:45:[bcd]::/);
  });
});
