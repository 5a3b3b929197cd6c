import assert from "node:assert/strict";
import { after, before, describe, test, type TestContext } from "node:test";
import { fromClient } from "../../harness/http";
import type { StackFile } from "../../harness/stackFile";
import type { Stack } from "../../operate/stack";
import { temporaryFolder } from "../support/folder";
import { makeFlavor, removeFlavor } from "./flavors";
import { resources, servers } from "./standing";
import { cluster, lab, open, stackFile } from "./support";
import { unnoticed } from "./unnoticed";

const WIDE = "ha-cluster-test-wide";

/** Of the lab: a newer build, and a zone that no datacenter of the stack file is in. */
const NEWER = "debian-12-next";
const SPARE = "dc4";

describe("changes of a cluster that runs", () => {
  const folder = temporaryFolder();

  before(async () => {
    await makeFlavor(WIDE, 3072);
  });
  after(async () => {
    folder.remove();
    await removeFlavor(WIDE);
  });

  /** Two servers have the wider flavor; these datacenters are there. */
  function wideInDc2(datacenters: readonly string[]): StackFile {
    const flavor = Object.fromEntries(datacenters.map((name) => [name, name === "dc2" ? WIDE : "m1.small"]));
    return stackFile().set("loadBalancers", { flavor }).set("database.flavor", flavor);
  }

  const stackOf = (file: StackFile): Promise<Stack> => open(file, folder.path);

  async function becomes(t: TestContext, file: StackFile): Promise<void> {
    const stack = await stackOf(file);
    await unnoticed(t, () => stack.up());
  }

  async function threeDatabases(): Promise<void> {
    for (const name of cluster.databases) {
      const size = await lab.on(name, "mariadb -BNe \"SHOW STATUS LIKE 'wsrep_cluster_size'\"");
      assert.match(size, /3/);
    }
  }

  async function rowIsThere(token: string): Promise<void> {
    const { status, body } = await fromClient(lab, cluster.url("ipv4", `/rows/${token}`));
    assert.equal(status, 200, body);
    assert.match(body, new RegExp(token));
  }

  async function zoneOf(name: string): Promise<unknown> {
    return (await lab.openstack<Record<string, unknown>>("server", "show", name))["OS-EXT-AZ:availability_zone"];
  }

  test("a second group, which sorts first, moves nobody, and goes again", async (t) => {
    const before = await servers();
    const groups = { api: { perDatacenter: 1 }, app: { runtime: "python", perDatacenter: 1 } };
    const file = (): StackFile => stackFile().set("appServers", groups);
    const { stdout } = await (await stackOf(file())).preview();
    assert.match(stdout, /what this changes, by datacenter:\n\s+dc1 +api-dc1-1: made\n/);
    assert.match(stdout, /customers: nothing/);
    await becomes(t, file());
    const during = await servers();
    assert.equal(during.size, 12);
    for (const [name, is] of before) assert.equal(during.get(name), is);
    await becomes(t, stackFile());
    assert.deepEqual(await servers(), before);
  });

  test("another flavor, image and zone: one server at a time hands over, goes and comes back", async (t) => {
    const before = await servers();
    const token = "written-before-the-servers-went";
    await cluster.rowAcrossDatacenters(token);
    const moved = ["lb-dc1", "db-dc1", "app-dc1-1"];
    const file = wideInDc2(["dc1", "dc2", "dc3"])
      .set("image", NEWER)
      .set("datacenters", { dc1: { availabilityZone: SPARE }, dc2: {}, dc3: {} });
    const unasked = await (await stackOf(file)).preview();
    assert.match(
      unasked.stdout,
      /runs in dc1: it would have to be deleted.*\n.*mayReplace: \[lb-dc1, db-dc1, app-dc1-1\]/,
    );
    const { stdout } = await (await stackOf(file.set("mayReplace", moved))).preview();
    assert.match(stdout, /db-dc2: STOPPED and started again, m1\.small → ha-cluster-test-wide; one server at a time/);
    assert.match(
      stdout,
      /db-dc1: DELETED and made anew, image debian-12 \(.*\) to debian-12-next \(.*\), zone dc1 to dc4;/,
    );
    assert.match(stdout, /image: .*lb-dc3.* stay so until/);
    await becomes(t, file);
    const after = await servers();
    assert.deepEqual([...after.keys()].sort(), [...before.keys()].sort());
    for (const [name, is] of after) {
      const [id, addresses] = is.split(/ (.*)/);
      const [idBefore, addressesBefore] = before.get(name)!.split(/ (.*)/);
      assert.equal(addresses, addressesBefore, name);
      assert.equal(
        id !== idBefore,
        moved.some((each) => name === `test-${each}`),
        `${name}: who is made anew is another server, who was resized is not`,
      );
    }
    for (const id of moved) {
      assert.match(await lab.on(`test-${id}`, "cat /etc/cloud/build.info"), new RegExp(NEWER));
      assert.equal(await zoneOf(`test-${id}`), SPARE);
    }
    await rowIsThere(token);
    await threeDatabases();
    const state = await resources(await stackOf(stackFile()));
    const when = (name: string): number => Date.parse(state.get(name)!.modified!);
    const resized = ["lb-dc2", "db-dc2"];
    for (const id of [...resized, ...moved]) {
      const times = [
        `command:remote:Command::${id}-farewell`,
        `openstack:compute/instance:Instance::${id}`,
        `command:remote:Command::${id}-config`,
      ].map(when);
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
        id,
      );
    }
    for (const [id, next] of [
      ["lb-dc2", "lb-dc1"],
      ["lb-dc1", "db-dc2"],
      ["db-dc2", "db-dc1"],
      ["db-dc1", "app-dc1-1"],
    ])
      assert.ok(
        when(`command:remote:Command::${id!}-config`) < when(`command:remote:Command::${next!}-farewell`),
        `${next!} after ${id!}`,
      );
    for (const name of resized.map((id) => `test-${id}`)) {
      const { flavor } = await lab.openstack<{ flavor: unknown }>("server", "show", name);
      assert.match(JSON.stringify(flavor), new RegExp(WIDE));
    }
  });

  test("that datacenter, the first, leaves, and comes back where it was", async (t) => {
    const before = await servers();
    const token = "written-before-dc1-left";
    await cluster.rowAcrossDatacenters(token);
    const two = wideInDc2(["dc2", "dc3"])
      .set("datacenters", { dc2: {}, dc3: {} })
      .set("quorumRisk", { acceptedBy: "the tests", on: "2026-11-26" });
    const unasked = await (await stackOf(two)).preview();
    assert.match(
      unasked.stdout,
      /test-db-dc1 would be deleted with its copy of the data\n\s+→ .*mayDelete: \[db-dc1\]/,
    );
    await becomes(t, two.set("mayDelete", ["db-dc1"]));
    const left = await servers();
    assert.deepEqual([...left.keys()].sort(), [...before.keys()].filter((name) => !name.includes("dc1")).sort());
    for (const [name, is] of left) assert.equal(is, before.get(name));
    await rowIsThere(token);

    await becomes(t, wideInDc2(["dc1", "dc2", "dc3"]));
    const back = await servers();
    assert.deepEqual([...back.keys()].sort(), [...before.keys()].sort());
    for (const [name, is] of left) assert.equal(back.get(name), is);
    assert.equal(await zoneOf("test-db-dc1"), "dc1");
    await rowIsThere(token);
    await threeDatabases();
  });

  test("the old flavor comes back, and there is nothing left to do", async (t) => {
    await becomes(t, stackFile());
    const stack = await stackOf(stackFile());
    assert.doesNotMatch(await stack.up(), /created|updated|deleted|replaced/);
  });
});
