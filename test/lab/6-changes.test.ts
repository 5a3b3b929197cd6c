import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { fromClient } from "../../harness/http";
import { type Rollout, rollOut } from "../../harness/rollout";
import type { StackFile } from "../../harness/stackFile";
import type { Stack } from "../../operate/stack";
import { failuresOf, summaryOf } from "../../operate/traffic/summary";
import { temporaryFolder } from "../support/folder";
import { CERTIFICATE } from "../support/specs";
import { cluster, lab, NAME, open, stackFile } from "./support";

/** As in 6-rollouts.test.ts. */
const PER_SECOND = 10;

/** As m1.small, with more memory: Nova makes no disk smaller, so that the way back needs one of the same size. */
const WIDE = "ha-cluster-test-wide";

/** Of the lab: a newer build, and a zone that no datacenter of the stack file is in. */
const NEWER = "debian-12-next";
const SPARE = "dc4";

/** Says that it is of another release; nothing is ever made of it. */
const TRIXIE = "ha-cluster-test-debian-13";

interface Row {
  urn: string;
  id?: string;
  modified?: string;
}

describe("changes of a cluster that runs", () => {
  const folder = temporaryFolder();
  const caFile = join(folder.path, "ca.pem");

  before(async () => {
    writeFileSync(caFile, CERTIFICATE);
    // A run that was killed left it.
    await lab.admin("flavor", "delete", WIDE).catch(() => undefined);
    await lab.admin("flavor", "create", "--ram", "3072", "--disk", "10", "--vcpus", "1", WIDE);
    await lab.admin("image", "delete", TRIXIE).catch(() => undefined);
    const release = ["--property", "os_distro=debian", "--property", "os_version=13"];
    await lab.admin("image", "create", "--public", "--file", caFile, "--disk-format", "raw", ...release, TRIXIE);
  });
  after(async () => {
    folder.remove();
    await lab.admin("flavor", "delete", WIDE);
    await lab.admin("image", "delete", TRIXIE);
  });

  const stackOf = (file: StackFile): Promise<Stack> => open(file, folder.path);

  async function resources(): Promise<Map<string, Row>> {
    const stack = await stackOf(stackFile());
    const text = await stack.must(["stack", "export", "--stack", NAME]);
    const { deployment } = JSON.parse(text) as { deployment: { resources: Row[] } };
    return new Map(deployment.resources.map((each) => [each.urn.split("$").at(-1)!, each]));
  }

  /** Nova's ids and Neutron's addresses: who is who, and where. */
  async function servers(): Promise<Map<string, string>> {
    const list = await lab.openstack<{ ID: string; Name: string; Networks: unknown }[]>("server", "list");
    return new Map(list.map(({ ID, Name, Networks }) => [Name, `${ID} ${JSON.stringify(Networks)}`]));
  }

  async function unnoticed(t: TestContext, file: StackFile): Promise<Rollout> {
    const rollout = await rollOut(cluster, await stackOf(file), {
      families: ["ipv4", "ipv6"],
      perSecond: PER_SECOND,
      caFile,
    });
    const { sent, slowest, retransmitted } = summaryOf(rollout.attempts);
    t.diagnostic(
      `${rollout.seconds.toFixed(1)} s; ${failuresOf(rollout.attempts).length} of ${sent} requests failed, slowest ${slowest} ms, ${retransmitted} over 900 ms, client at most ${Math.round(rollout.lag)} ms late`,
    );
    assert.deepEqual(failuresOf(rollout.attempts), []);
    return rollout;
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

  for (const [what, change, words] of [
    [
      "another customer's name",
      (file: StackFile) => file.set("customer", "acme"),
      /ha-cluster:customer\n\s+the cluster's first name is test: with acme, all server groups would be replaced/,
    ],
    [
      "zones exchanged",
      (file: StackFile) =>
        file.set("datacenters", { dc1: { availabilityZone: "dc2" }, dc2: { availabilityZone: "dc1" }, dc3: {} }),
      /ha-cluster:datacenters\.dc1\.availabilityZone\n\s+is dc2, but test-\S+-dc1(-1)? runs in dc1: it would have to be deleted/,
    ],
    [
      "a flavor with a smaller disk",
      (file: StackFile) => file.set("database.flavor", "m1.tiny"),
      /ha-cluster:database\.flavor\n\s+m1\.tiny has a disk of 1 GiB, and test-db-dc\d one of 10 GiB/,
    ],
    [
      "a database on another Debian release",
      (file: StackFile) => file.set("database.image", TRIXIE).set("mayReplace", ["db-dc1"]),
      /ha-cluster:database\.image\n\s+ha-cluster-test-debian-13 is debian 13, and test-db-dc1 is of another release/,
    ],
    [
      "an image that isn't there",
      (file: StackFile) => file.set("appServers.app.image", "debian-99").set("mayReplace", ["app-dc1-1"]),
      /ha-cluster:appServers\.app\.image\n\s+debian-99 is no image of this cloud/,
    ],
    [
      "a datacenter under another name",
      (file: StackFile) => file.set("datacenters", { dc1: {}, dc2: {}, ams: { availabilityZone: "dc3" } }),
      /ha-cluster:datacenters\.ams\n\s+is new, while `dc3` would be deleted in the same run/,
    ],
  ] as const) {
    test(`${what}: refused with the way to do it, and nothing is touched`, async () => {
      // `up` runs the same program: one of them by both is enough.
      await refused(() => stackOf(change(stackFile())), words, ["preview"]);
    });
  }

  test("another root secret: refused with the way to do it, and nothing is touched", async () => {
    const changed = async (): Promise<Stack> => {
      const stack = await stackOf(stackFile());
      const set = ["config", "set", "--secret", "ha-cluster:rootSecret", ...args(stack)];
      await stack.must(set, { input: "another root secret of the tests, also 32 long" });
      return stack;
    };
    await refused(changed, /ha-cluster:rootSecret\n\s+is not the one that this cluster was built with/);
  });

  /** All stacks of this file share one configuration file: the changed one is written last. */
  async function refused(
    changed: () => Promise<Stack>,
    words: RegExp,
    commands: readonly string[] = ["preview", "up"],
  ): Promise<void> {
    const before = await resources();
    const stack = await changed();
    for (const command of commands) {
      const skip = command === "up" ? ["--yes", "--skip-preview"] : [];
      const { code, stdout, stderr } = await stack.pulumi([command, ...skip, ...args(stack)]);
      assert.notEqual(code, 0);
      assert.match(`${stdout}${stderr}`, words);
    }
    assert.deepEqual([...(await resources()).keys()], [...before.keys()]);
  }

  for (const options of [["--skip-preview"], []]) {
    test(`destroy ${options.join(" ")} deletes nothing, unless the file says so`, async () => {
      const [state, cloud] = [await resources(), await servers()];
      const stack = await stackOf(stackFile());
      const { code, stdout } = await stack.pulumi(["destroy", "--yes", ...options, ...args(stack)]);
      assert.notEqual(code, 0);
      assert.match(stdout, /cluster-protection/);
      assert.deepEqual([...(await resources()).keys()], [...state.keys()]);
      assert.deepEqual(await servers(), cloud);
    });
  }

  test("a second group, which sorts first, moves nobody, and goes again", async (t) => {
    const before = await servers();
    const groups = { api: { perDatacenter: 1 }, app: { runtime: "python", perDatacenter: 1 } };
    const file = (): StackFile => stackFile().set("appServers", groups);
    const { stdout } = await (await stackOf(file())).preview();
    assert.match(stdout, /what this changes, by datacenter:\n\s+dc1 +api-dc1-1: made\n/);
    assert.match(stdout, /customers: nothing/);
    await unnoticed(t, file());
    const during = await servers();
    assert.equal(during.size, 12);
    for (const [name, is] of before) assert.equal(during.get(name), is);
    await unnoticed(t, stackFile());
    assert.deepEqual(await servers(), before);
  });

  test("another flavor, image and zone: one server at a time hands over, goes and comes back", async (t) => {
    const before = await servers();
    const token = "written-before-the-servers-went";
    await cluster.rowAcrossDatacenters(token);
    const flavor = (here: string): Record<string, string> => ({
      dc1: "m1.small",
      dc2: here,
      dc3: "m1.small",
    });
    const moved = ["lb-dc3", "db-dc3", "app-dc3-1"];
    const file = (here: string): StackFile =>
      stackFile()
        .set("loadBalancers", { flavor: flavor(here) })
        .set("database.flavor", flavor(here))
        .set("appServers.app.flavor", flavor(here))
        .set("image", NEWER)
        .set("datacenters", { dc1: {}, dc2: {}, dc3: { availabilityZone: SPARE } });
    // It stays in its zone: only its image is another one.
    const anew = [...moved, "app-dc1-1"];
    const unasked = await (await stackOf(file(WIDE))).preview();
    assert.match(
      unasked.stdout,
      /runs in dc3: it would have to be deleted.*\n.*mayReplace: \[lb-dc3, db-dc3, app-dc3-1\]/,
    );
    const { stdout } = await (await stackOf(file(WIDE).set("mayReplace", anew))).preview();
    assert.match(stdout, /db-dc2: STOPPED and started again, m1\.small → ha-cluster-test-wide; one server at a time/);
    assert.match(
      stdout,
      /db-dc3: DELETED and made anew, image debian-12 \(.*\) to debian-12-next \(.*\), zone dc3 to dc4;/,
    );
    assert.match(stdout, /image: .*lb-dc1.* stay so until/);
    await unnoticed(t, file(WIDE).set("mayReplace", anew));
    const after = await servers();
    assert.deepEqual([...after.keys()].sort(), [...before.keys()].sort());
    for (const [name, is] of after) {
      const [id, addresses] = is.split(/ (.*)/);
      const [idBefore, addressesBefore] = before.get(name)!.split(/ (.*)/);
      assert.equal(addresses, addressesBefore, name);
      assert.equal(
        id !== idBefore,
        anew.some((each) => name === `test-${each}`),
        `${name}: who is made anew is another server, who was resized is not`,
      );
    }
    for (const id of anew) {
      assert.match(await lab.on(`test-${id}`, "cat /etc/cloud/build.info"), new RegExp(NEWER));
    }
    for (const id of moved) {
      const { "OS-EXT-AZ:availability_zone": zone } = await lab.openstack<Record<string, unknown>>(
        ...["server", "show", `test-${id}`],
      );
      assert.equal(zone, SPARE);
    }
    await rowIsThere(token);
    await threeDatabases();
    const state = await resources();
    const when = (name: string): number => Date.parse(state.get(name)!.modified!);
    const ids = ["lb-dc2", "db-dc2", "app-dc2-1"];
    for (const id of [...ids, ...anew]) {
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
      ["lb-dc3", "lb-dc2"],
      ["lb-dc2", "db-dc3"],
      ["db-dc3", "db-dc2"],
      ["db-dc2", "app-dc3-1"],
      ["app-dc3-1", "app-dc2-1"],
      ["app-dc2-1", "app-dc1-1"],
    ])
      assert.ok(
        when(`command:remote:Command::${id!}-config`) < when(`command:remote:Command::${next!}-farewell`),
        `${next!} after ${id!}`,
      );
    for (const name of ids.map((id) => `test-${id}`)) {
      const { flavor } = await lab.openstack<{ flavor: unknown }>("server", "show", name);
      assert.match(JSON.stringify(flavor), new RegExp(WIDE));
    }

    await unnoticed(t, stackFile().set("mayReplace", anew));
    await rowIsThere(token);
    await threeDatabases();
  });

  test("the first datacenter leaves, and comes back", async (t) => {
    const before = await servers();
    const token = "written-before-dc1-left";
    await cluster.rowAcrossDatacenters(token);
    const two = stackFile()
      .set("datacenters", { dc2: {}, dc3: {} })
      .set("quorumRisk", { acceptedBy: "the tests", on: "2026-11-26" });
    const unasked = await (await stackOf(two)).preview();
    assert.match(
      unasked.stdout,
      /test-db-dc1 would be deleted with its copy of the data\n\s+→ .*mayDelete: \[db-dc1\]/,
    );
    await unnoticed(t, two.set("mayDelete", ["db-dc1"]));
    const left = await servers();
    assert.deepEqual([...left.keys()].sort(), [...before.keys()].filter((name) => !name.includes("dc1")).sort());
    for (const [name, is] of left) assert.equal(is, before.get(name));
    await rowIsThere(token);

    await unnoticed(t, stackFile());
    const back = await servers();
    assert.deepEqual([...back.keys()].sort(), [...before.keys()].sort());
    for (const [name, is] of left) assert.equal(back.get(name), is);
    await rowIsThere(token);
    await threeDatabases();
  });

  test("afterwards there is nothing to do", async () => {
    const stack = await stackOf(stackFile());
    await stack.up();
    assert.doesNotMatch(await stack.up(), /created|updated|deleted|replaced/);
  });
});

function args({ options }: Stack): string[] {
  return ["--stack", options.name, ...(options.configFile === undefined ? [] : ["--config-file", options.configFile])];
}
