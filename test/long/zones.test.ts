import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fromClient } from "../../harness/http";
import type { StackFile } from "../../harness/stackFile";
import type { Stack } from "../../operate/stack";
import { resources, servers } from "../lab/standing";
import { cluster, lab, open, stackFile, verb } from "../lab/support";
import { throughout } from "../lab/throughout";
import { temporaryFolder } from "../support/folder";
import { deploy, withdraw } from "../witnesses/release";

/** Of the lab: `dc1` has two hypervisors, every other zone one, which the load balancer and the database there have for themselves. */
const MOVING = ["lb-dc1", "db-dc1", "app-dc1-1", "lb-dc2", "db-dc2", "app-dc2-1"];

/** What clients have open leads through servers that move. */
const WATCHED = { session: "test-app-dc3-1", stops: { loadBalancers: 2, databases: 2, appServers: 2 } };

describe("two datacenters exchange their zones", () => {
  const folder = temporaryFolder();
  const token = "written-before-the-exchange";
  let stack: Stack;

  before(async () => {
    stack = await open(stackFile(), folder.path);
    await stack.up();
    await deploy(cluster);
    await cluster.rowAcrossDatacenters(token);
  });
  after(async () => {
    await withdraw(cluster);
    folder.remove();
  });

  function inZones(zones: Record<string, string>, mayReplace: readonly string[]): StackFile {
    const datacenters = ["dc1", "dc2", "dc3"].map((name) => [name, { availabilityZone: zones[name] ?? name }]);
    return stackFile().set("datacenters", Object.fromEntries(datacenters)).set("mayReplace", mayReplace);
  }

  async function zones(): Promise<Record<string, string>> {
    const list = await lab.openstack<{ Name: string; "Availability Zone": string }[]>("server", "list", "--long");
    return Object.fromEntries(list.map((each) => [each.Name, each["Availability Zone"]]));
  }

  async function nothingIsLost(): Promise<void> {
    const { status, body } = await fromClient(lab, cluster.url("ipv4", `/rows/${token}`));
    assert.equal(status, 200, body);
    for (const name of cluster.databases)
      assert.match(await lab.on(name, "mariadb -BNe \"SHOW STATUS LIKE 'wsrep_cluster_size'\""), /3/);
  }

  test("where a zone has room beside the one there, they go one at a time, and no client notices", async (t) => {
    const before = await servers();
    stack = await open(inZones({ dc1: "dc2", dc2: "dc1" }, MOVING), folder.path);
    const { stdout: preview } = await stack.preview();
    assert.match(preview, /zones: whether dc1 has room is asked by `pulumi up` itself, before anything is touched/);
    assert.deepEqual(await servers(), before, "a preview makes nothing");
    const row = { name: "two datacenters exchange their zones", ...WATCHED };
    const { output } = await throughout(t, row, () => stack.up());
    assert.match(
      output,
      /zones: lb-dc2 to dc1 beside lb-dc1, then lb-dc1 to dc2, then db-dc2 to dc1 beside db-dc1, then db-dc1 to dc2\n/,
    );
    assert.deepEqual(
      await zones(),
      Object.fromEntries(
        [...before.keys()].map((name) => [name, { dc1: "dc2", dc2: "dc1", dc3: "dc3" }[/dc\d/.exec(name)![0]]]),
      ),
      "and what was made to ask for room is gone",
    );
    const now = await servers();
    for (const [name, is] of before) assert.equal(now.get(name) === is, name.includes("dc3"), name);
    await nothingIsLost();
    await stack.up(["--expect-no-changes"]);
  });

  test("where neither has room it is refused with that reason, and nothing is touched", async () => {
    // Datacenter dc1 is in zone dc2 by now.
    const [state, before] = [await resources(stack), await servers()];
    const exchanged = inZones({ dc1: "dc3", dc2: "dc1", dc3: "dc2" }, [
      ...["lb-dc1", "db-dc1", "app-dc1-1"],
      ...["lb-dc3", "db-dc3", "app-dc3-1"],
    ]);
    const refused = await open(exchanged, folder.path);
    const args = ["up", "--yes", "--skip-preview", "--stack", "test", "--config-file", refused.options.configFile!];
    const { code, stdout, stderr } = await refused.pulumi(args);
    assert.notEqual(code, 0);
    assert.match(
      stdout + stderr,
      /availabilityZone\n\s+would move lb-dc3 to dc2 beside `lb-dc1`: .*, and Nova has room for no other one there\n\s+→ move by way of a zone that is free/,
    );
    assert.deepEqual(await servers(), before);
    assert.deepEqual([...(await resources(refused)).keys()], [...state.keys()]);
  });

  test("they go back the same way, and `verify` finds nothing", async (t) => {
    stack = await open(inZones({}, MOVING), folder.path);
    await throughout(t, { name: "their zones as they were", ...WATCHED }, () => stack.up());
    assert.deepEqual(
      await zones(),
      Object.fromEntries([...(await servers()).keys()].map((name) => [name, /dc\d/.exec(name)![0]])),
    );
    await nothingIsLost();
    stack = await open(stackFile(), folder.path);
    await stack.up();
    const { code, stdout, stderr } = await verb("verify", stack);
    assert.equal(code, 0, stdout + stderr);
  });
});
