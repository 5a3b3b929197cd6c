import assert from "node:assert/strict";
import { after, before, describe, test, type TestContext } from "node:test";
import { Cluster } from "../../harness/cluster";
import { fromClient } from "../../harness/http";
import type { StackFile } from "../../harness/stackFile";
import type { Stack } from "../../operate/stack";
import { makeFlavor, removeFlavor } from "../lab/flavors";
import { resources, servers } from "../lab/standing";
import { cluster, lab, NAME, open, stackFile, verb } from "../lab/support";
import { type Row, throughout } from "../lab/throughout";
import { temporaryFolder } from "../support/folder";
import { deploy, withdraw } from "../witnesses/release";

const WIDE = "ha-cluster-test-wide";
/** No hypervisor has room for it. */
const HUGE = "ha-cluster-test-huge";
const NEWER = "debian-12-next";
const EVERYBODY = [...cluster.loadBalancers, ...cluster.databases, ...cluster.appServers].map((name) =>
  name.replace("test-", ""),
);

const risk = { acceptedBy: "the tests", on: "2026-11-26" };
const others = { dc2: {}, dc3: {} };
const sortsFirst = { ams: { availabilityZone: "dc1" }, ...others };
const two = (): StackFile => stackFile().set("datacenters", others).set("quorumRisk", risk);
const one = { loadBalancers: 1, databases: 1, appServers: 1 };
const three = { loadBalancers: 3, databases: 3, appServers: 3 };
const withAms = new Cluster({ ...cluster.facts, datacenters: ["ams", "dc2", "dc3"] });

/** What was changed on a cluster that runs, in the order in which each leaves it as the next one needs it. */
const ROWS: (Row & { file: () => StackFile; preview: RegExp[] })[] = [
  {
    name: "a second group, which sorts first",
    file: () =>
      stackFile().set("appServers", { api: { perDatacenter: 1 }, app: { runtime: "python", perDatacenter: 1 } }),
    preview: [/dc1 +api-dc1-1: made\n/, /customers: nothing/],
  },
  { name: "it goes again", file: stackFile, preview: [/api-dc1-1: .*DELETED/] },
  {
    name: "the first datacenter leaves",
    file: () => two().set("mayDelete", ["db-dc1"]),
    preview: [/db-dc1: .*DELETED/],
    stops: one,
  },
  {
    name: "another comes, which sorts first",
    file: () => stackFile().set("datacenters", sortsFirst),
    preview: [/ams +app-ams-1: made\n +db-ams: made\n +lb-ams: made/],
  },
  {
    name: "it leaves again",
    of: withAms,
    file: () => two().set("mayDelete", ["db-ams"]),
    preview: [/db-ams: .*DELETED/],
    stops: one,
  },
  {
    name: "the first one comes back",
    file: stackFile,
    preview: [/dc1 +app-dc1-1: made\n +db-dc1: made\n +lb-dc1: made/],
  },
  {
    name: "another flavor of all load balancers and databases",
    file: () => stackFile().set("loadBalancers", { flavor: WIDE }).set("database.flavor", WIDE),
    preview: [/db-dc2: STOPPED and started again, m1\.small → ha-cluster-test-wide; one server at a time/],
    stops: { loadBalancers: 3, databases: 3 },
  },
  {
    name: "the old flavor again",
    file: stackFile,
    preview: [/lb-dc1: STOPPED and started again/],
    stops: { loadBalancers: 3, databases: 3 },
  },
  {
    name: "a newer image under all nine",
    file: () => stackFile().set("image", NEWER).set("mayReplace", EVERYBODY),
    preview: [/db-dc3: DELETED and made anew, image debian-12 \(.*\) to debian-12-next \(.*\)/],
    stops: three,
  },
  {
    name: "the older image again",
    file: () => stackFile().set("mayReplace", EVERYBODY),
    preview: [/db-dc3: DELETED and made anew, image debian-12-next \(.*\) to debian-12 \(.*\)/],
    stops: three,
  },
];

/** What is refused, and with which words. */
const REFUSED: [name: string, file: () => StackFile, words: RegExp][] = [
  [
    "another customer's name",
    () => stackFile().set("customer", "acme"),
    /ha-cluster:customer\n\s+the cluster's first name is test: with acme, all server groups would be replaced/,
  ],
  [
    "zones exchanged, and nobody may move",
    () =>
      stackFile().set("datacenters", { dc1: { availabilityZone: "dc2" }, dc2: { availabilityZone: "dc1" }, dc3: {} }),
    /ha-cluster:datacenters\.dc1\.availabilityZone\n\s+is dc2, but test-\S+-dc1(-1)? runs in dc1: it would have to be deleted/,
  ],
  [
    "a datacenter under another name",
    () => stackFile().set("datacenters", { dc1: {}, dc2: {}, ams: { availabilityZone: "dc3" } }),
    /ha-cluster:datacenters\.ams\n\s+is new, while `dc3` would be deleted in the same run/,
  ],
  [
    "the first datacenter gone, and its data not given up",
    two,
    /test-db-dc1 would be deleted with its copy of the data\n\s+→ .*mayDelete: \[db-dc1\]/,
  ],
];

describe("the whole table", () => {
  const folder = temporaryFolder();
  const token = "written-before-the-table";
  const stackOf = (file: StackFile): Promise<Stack> => open(file, folder.path);

  before(async () => {
    await makeFlavor(WIDE, 3072);
    await makeFlavor(HUGE, 9_999_999);
    await (await stackOf(stackFile())).up();
    await deploy(cluster);
    await cluster.rowAcrossDatacenters(token);
  });
  after(async () => {
    await withdraw(cluster);
    folder.remove();
    for (const name of [WIDE, HUGE]) await removeFlavor(name);
  });

  for (const [name, file, words] of REFUSED) {
    test(`${name}: refused, and nothing is touched`, async () => {
      const [state, cloud] = [await resources(await stackOf(stackFile())), await servers()];
      const stack = await stackOf(file());
      assert.match(await refusal(stack), words);
      assert.deepEqual(await servers(), cloud);
      assert.deepEqual([...(await resources(stack)).keys()], [...state.keys()]);
    });
  }

  test("servers that Nova puts in ERROR: said by all verbs, the others serve, and the old file goes through", async (t) => {
    const before = await servers();
    const groups = { api: { perDatacenter: 1, flavor: HUGE }, app: { runtime: "python", perDatacenter: 1 } };
    await throughout(t, { name: "servers that Nova puts in ERROR, and the old file again" }, async () => {
      const stack = await stackOf(stackFile().set("appServers", groups));
      assert.match(await refusal(stack), /ERROR/);
      const found = await verb("verify", stack);
      assert.equal(found.code, 1);
      assert.match(found.stdout, /api-dc\d-1.*\n?.*ERROR/);
      assert.match(await refusal(stack), /test-api-dc\d-1 was never finished: [^]*→ mend what that says/);
      return (await stackOf(stackFile())).up();
    });
    assert.deepEqual(await servers(), before);
  });

  test("the stack under another name: no server is touched", async (t) => {
    const before = await servers();
    await throughout(t, { name: "`pulumi stack rename`, and back" }, async () => {
      const stack = await stackOf(stackFile());
      const { configFile } = stack.options;
      await stack.must(["stack", "rename", "renamed", "--stack", NAME]);
      try {
        const output = await stack.must([
          "up",
          "--yes",
          "--skip-preview",
          "--stack",
          "renamed",
          "--config-file",
          configFile!,
        ]);
        assert.deepEqual(await servers(), before);
        return output;
      } finally {
        await stack.must(["stack", "rename", NAME, "--stack", "renamed"]);
      }
    });
    await (await stackOf(stackFile())).up(["--expect-no-changes"]);
    assert.deepEqual(await servers(), before);
  });

  for (const row of ROWS) {
    test(row.name, async (t) => {
      await previews(t, row);
      const stack = await stackOf(row.file());
      await throughout(t, row, () => stack.up());
      const { status, body } = await fromClient(lab, cluster.url("ipv4", `/rows/${token}`));
      assert.equal(status, 200, body);
    });
  }

  /** What an `up` says that fails. */
  async function refusal(stack: Stack): Promise<string> {
    const args = ["up", "--yes", "--skip-preview", "--stack", NAME, "--config-file", stack.options.configFile!];
    const { code, stdout, stderr } = await stack.pulumi(args);
    assert.notEqual(code, 0);
    return stdout + stderr;
  }

  async function previews(t: TestContext, { file, preview }: (typeof ROWS)[number]): Promise<void> {
    const { stdout } = await (await stackOf(file())).preview();
    const said =
      /what this changes, by datacenter:\n[^]*?customers: .*\n/.exec(
        stdout.slice(stdout.indexOf("Diagnostics:")),
      )?.[0] ?? stdout;
    for (const line of said.trim().split("\n")) t.diagnostic(line.trim());
    for (const words of preview) assert.match(stdout, words);
  }
});
