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
  user: string;
  proxy?: { user: string };
}

/** Mocks stand for the engine only to see who is asked for what, and when. */
describe("another user and another port of the applications, in one run", () => {
  const seen: { name: string; inputs: Record<string, unknown> }[] = [];
  const at = (name: string): number => {
    const found = seen.findIndex((each) => each.name === name);
    assert.ok(found >= 0, name);
    return found;
  };
  const users = (name: string): (string | undefined)[] => {
    const { value } = seen[at(name)]!.inputs["connection"] as { value: Connection };
    return [value.user, value.proxy?.user];
  };

  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: ({ type, name, inputs }) => {
        // A server's component is called like it.
        const server = type === "openstack:compute/instance:Instance" ? `server ${name}` : name;
        seen.push({ name: server, inputs: inputs as Record<string, unknown> });
        return { id: `id-of-${name}`, state: { ...(inputs as object), name } };
      },
      call: ({ token, inputs }) => ({ ...(inputs as object), id: token }),
    });
    const { Cluster } = await import("../../../components/cluster");
    await pulumi.runtime.runInPulumiStack(() => {
      const standing = deployed(stateOf(plan(specOf(dualStack()))));
      const ssh = { user: "ops", allowedFrom: ["192.0.2.0/24"] };
      const planned = plan(specOf(dualStack({ ssh, appServers: { app: { port: 9000 } } })));
      new Cluster("cluster", {
        plan: planned,
        secrets: { root: "a root secret of the tests, 32 long", certificateKeys: { www: "key" } },
        nodeFiles: readNodeFiles(),
        change: changeOf(planned, standing),
        begun: { number: 1, left: {}, steps: [], made: [] },
        mayDestroy: false,
      });
      return Promise.resolve({});
    });
    await pulumi.runtime.disconnect();
  });

  test("the old user lets the new one in, who does all the rest", () => {
    assert.deepEqual(users("lb-dc1-login"), ["debian", undefined]);
    assert.deepEqual(users("lb-dc1-scripts"), ["ops", undefined]);
    // By then the load balancer knows both.
    assert.deepEqual(users("db-dc1-login"), ["debian", "ops"]);
    assert.deepEqual(users("db-dc1-config"), ["ops", "ops"]);
    for (const id of ["lb-dc1", "db-dc1", "app-dc1-1"]) {
      assert.ok(at(`${id}-login`) < at(`server ${id}`), "before anything stops the machine");
      assert.ok(at(`server ${id}`) < at(`${id}-scripts`));
    }
    const { create, stdin } = seen[at("lb-dc1-login")]!.inputs as Record<string, string>;
    assert.match(create!, /^sudo -n timeout -k 10 60 sh -s -- ops 'ssh-ed25519 \S+ \S+' # debian lets ops in$/);
    assert.match(stdin!, /^#!\/bin\/sh\n# login\.sh/);
    assert.equal(seen[at("lb-dc1-scripts")]!.inputs["create"], "sudo -n sh # as ops");
  });

  test("applications answer on both ports before any load balancer is told, and on one when the last has been", () => {
    // Nobody has been let in yet.
    assert.deepEqual(users("app-dc1-1-between"), ["debian", "debian"]);
    const text = (name: string): string => String(seen[at(name)]!.inputs["stdin"]);
    assert.match(text("app-dc1-1-between"), /LISTEN_PORT=9000\n[^]*tcp dport 8080 redirect to :9000\n/);
    assert.doesNotMatch(text("app-dc1-1-config"), /redirect/);
    const order = [
      ...["app-dc3-1-between", "app-dc2-1-between", "app-dc1-1-between"],
      ...["lb-dc3-config", "lb-dc2-config", "lb-dc1-config", "ports-pause"],
      ...["app-dc3-1-config", "app-dc2-1-config", "app-dc1-1-config"],
    ].map(at);
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
    assert.ok(at("app-ipv4-tcp-9000-from-lb-internal") < order[0]!, "the cloud lets it in");
  });

  test("a new machine is made with the user", () => {
    const { metadata, userData } = seen[at("server app-dc1-1")]!.inputs;
    assert.deepEqual(metadata, { sshUser: "ops", "ha-cluster-customer": "dev" });
    const { value } = userData as { value: string };
    const cloudConfig = JSON.parse(value.replace("#cloud-config\n", "")) as {
      users: [string, { name: string }];
      bootcmd: [string[]];
    };
    // Neutron's subnet may still name the gateway that it was made with.
    assert.equal(cloudConfig.bootcmd[0].at(-1), "ip route replace default via 198.51.100.1 dev eth0");
    assert.deepEqual([cloudConfig.users[0], cloudConfig.users[1].name], ["default", "ops"]);
  });
});
