import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { changeOf } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import { readNodeFiles } from "../../../node/files";
import { plan } from "../../../plan/plan";
import { DerivedSecrets } from "../../../secrets/derive";
import { dualStack, specOf } from "../../support/specs";

interface Seen {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/** Of all commands those that are no push, by who may found. */
const FOUNDINGS: Record<string, string> = { "database-founding": "db-dc3", "app-founding": "app-dc3-1" };

const ROOT_SECRET = "a root secret of the tests, 32 long";
const CERTIFICATE_KEY = "-----BEGIN PRIVATE KEY-----\nof the tests\n-----END PRIVATE KEY-----\n";

/** Mocks stand for the engine only to see the resource graph; what the resources do is shown on the embedded cloud. */
describe("resource graph of a dual-stack cluster", () => {
  const seen: Seen[] = [];
  const ignored = new Map<string, string[]>();
  const of = (type: string): Seen[] => seen.filter((each) => each.type === type);

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
      // Mocks do not see options.
      pulumi.runtime.registerStackTransformation(({ name, opts }) => {
        if (opts.ignoreChanges) ignored.set(name, opts.ignoreChanges);
        return undefined;
      });
      const planned = plan(specOf(dualStack()));
      new Cluster("cluster", {
        plan: planned,
        secrets: { root: ROOT_SECRET, certificateKeys: { www: CERTIFICATE_KEY } },
        nodeFiles: readNodeFiles(),
        change: changeOf(planned, deployed([])),
        begun: { number: 1, left: {}, steps: [], made: [] },
        mayDestroy: false,
      });
      return Promise.resolve({});
    });
    // Registrations go on after the program has run; this waits for the last.
    await pulumi.runtime.disconnect();
  });

  test("nine servers, one of each role per zone", () => {
    const servers = of("openstack:compute/instance:Instance").map(
      ({ inputs }) => `${String(inputs.availabilityZone)} ${String(inputs.name)}`,
    );
    assert.deepEqual(servers.sort(), [
      "dc1 dev-app-dc1-1",
      "dc1 dev-db-dc1",
      "dc1 dev-lb-dc1",
      "dc2 dev-app-dc2-1",
      "dc2 dev-db-dc2",
      "dc2 dev-lb-dc2",
      "dc3 dev-app-dc3-1",
      "dc3 dev-db-dc3",
      "dc3 dev-lb-dc3",
    ]);
  });

  test("external ports have both families and the VIPs as pairs", () => {
    const ports = of("openstack:networking/port:Port").filter(({ name }) => name.endsWith("-external"));
    assert.equal(ports.length, 3);
    for (const { inputs } of ports) {
      assert.equal((inputs.fixedIps as unknown[]).length, 2);
      assert.deepEqual(inputs.allowedAddressPairs, [
        { ipAddress: "203.0.113.100" },
        { ipAddress: "2001:db8:45:67bb::1" },
      ]);
    }
  });

  test("each VIP is held by a port at no server, under a name that follows from its address", () => {
    const ports = of("openstack:networking/port:Port").filter(({ name }) => name.startsWith("vip-"));
    assert.deepEqual(
      ports.map(({ name, inputs }) => [name, inputs.name, inputs.adminStateUp, inputs.noSecurityGroups]).sort(),
      [
        ["vip-2001-db8-45-67bb--1", "dev-vip-2001:db8:45:67bb::1", false, true],
        ["vip-203.0.113.100", "dev-vip-203.0.113.100", false, true],
      ],
    );
    assert.deepEqual(
      ports.map(({ inputs }) => (inputs.fixedIps as { ipAddress: string }[]).map(({ ipAddress }) => ipAddress)).sort(),
      [["2001:db8:45:67bb::1"], ["203.0.113.100"]],
    );
  });

  test("every connection verifies the host key, on the way too", () => {
    const secrets = new DerivedSecrets(ROOT_SECRET);
    const commands = of("command:remote:Command");
    assert.equal(commands.length, 29);
    for (const { name, inputs } of commands) {
      const connection = plain(inputs.connection) as { hostKey: string; proxy?: { hostKey: string } };
      const id = FOUNDINGS[name] ?? name.replace(/-(scripts|secrets|config)$/, "");
      assert.equal(connection.hostKey, secrets.hostKey(id).publicKey);
      if (!id.startsWith("lb-")) assert.match(connection.proxy!.hostKey, /^ssh-ed25519 \S+ lb-dc\d$/);
    }
  });

  test("a change runs the same script as the first time", () => {
    const pushes = of("command:remote:Command").filter(({ name }) => !(name in FOUNDINGS));
    for (const { inputs } of pushes) assert.equal(inputs.update, inputs.create);
  });

  test("only the first build lets a machine found, or serve the sample, by a command that nothing runs again", () => {
    const registered = (name: string): number => seen.findIndex((each) => each.name === name);
    for (const [name, id] of Object.entries(FOUNDINGS)) {
      const script = name === "app-founding" ? "app-founding.sh" : "galera-founding.sh";
      const [founding, ...others] = of("command:remote:Command").filter(({ inputs }) =>
        String(inputs.create).includes(script),
      );
      assert.deepEqual([founding?.name, others], [name, []]);
      assert.deepEqual(
        [founding!.inputs.update, founding!.inputs.delete, founding!.inputs.triggers],
        ["true", undefined, [`${id}-id`]],
      );
      // Until one was pushed to, another machine may be the first.
      assert.equal(ignored.get(name), undefined);
      assert.ok(registered(`${id}-scripts`) < registered(name));
      assert.ok(registered(name) < registered(`${id}-config`));
    }
    for (const { inputs } of of("command:remote:Command")) assert.doesNotMatch(String(inputs.stdin), /^BOOTSTRAP=/m);
  });

  test("secrets travel in their own commands, and nowhere else", () => {
    const secrets = new DerivedSecrets(ROOT_SECRET);
    const words = [secrets.vrrpPassword(), secrets.databasePassword("app"), "of the tests", ROOT_SECRET];
    for (const { name, inputs } of of("command:remote:Command")) {
      const open = JSON.stringify({ ...inputs, connection: undefined });
      const told = words.filter((word) => open.includes(word));
      assert.equal(told.length > 0, name.endsWith("-secrets"), name);
    }
  });
});

/** Unwraps what was marked secret; mocks see the wire format. */
function plain(value: unknown): unknown {
  return value !== null && typeof value === "object" && "value" in value ? value.value : value;
}
