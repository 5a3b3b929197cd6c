import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { StackFile } from "../../harness/stackFile";
import type { Stack } from "../../operate/stack";
import { temporaryFolder } from "../support/folder";
import { resources, servers } from "./standing";
import { lab, open, stackFile } from "./support";

/** Says that it is of another release; nothing is ever made of it. */
const TRIXIE = "ha-cluster-test-debian-13";

describe("what is refused on a cluster that runs", () => {
  const folder = temporaryFolder();
  const stackOf = (file: StackFile): Promise<Stack> => open(file, folder.path);

  before(async () => {
    const content = join(folder.path, "image");
    writeFileSync(content, "no system\n");
    await lab.admin("image", "delete", TRIXIE).catch(() => undefined);
    const release = ["--property", "os_distro=debian", "--property", "os_version=13"];
    await lab.admin("image", "create", "--public", "--file", content, "--disk-format", "raw", ...release, TRIXIE);
  });
  after(async () => {
    folder.remove();
    await lab.admin("image", "delete", TRIXIE);
  });

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
      /ha-cluster:database\.image\n\s+ha-cluster-test-debian-13 is debian 13, and test-db-dc\d is of another release/,
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
      // A preview runs the same program: one of them by both is enough.
      await refused(() => stackOf(change(stackFile())), words, ["up"]);
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

  test("a VIP that somebody's port has: refused with the port, and nothing is touched", async () => {
    const address = "203.0.113.246";
    await lab.openstackDo("port", "create", "--network", "external", "--fixed-ip", `ip-address=${address}`, "somebody");
    try {
      const file = stackFile().set("vips.third", { ipv4: address });
      const words =
        /ha-cluster:vips\.third\.ipv4\n\s+203\.0\.113\.246 is taken: port somebody \(\S+\) has it, which is at no server\n\s+→ .*`openstack port delete \S+`/;
      await refused(() => stackOf(file), words);
    } finally {
      await lab.openstackDo("port", "delete", "somebody");
    }
  });

  /** All stacks of this file share one configuration file: the changed one is written last. */
  async function refused(
    changed: () => Promise<Stack>,
    words: RegExp,
    commands: readonly string[] = ["preview", "up"],
  ): Promise<void> {
    const before = await resources(await stackOf(stackFile()));
    const stack = await changed();
    for (const command of commands) {
      const skip = command === "up" ? ["--yes", "--skip-preview"] : [];
      const { code, stdout, stderr } = await stack.pulumi([command, ...skip, ...args(stack)]);
      assert.notEqual(code, 0);
      assert.match(`${stdout}${stderr}`, words);
    }
    assert.deepEqual([...(await resources(stack)).keys()], [...before.keys()]);
  }

  for (const options of [["--skip-preview"], []]) {
    test(`destroy ${options.join(" ")} deletes nothing, unless the file says so`, async () => {
      const stack = await stackOf(stackFile());
      const [state, cloud] = [await resources(stack), await servers()];
      const { code, stdout } = await stack.pulumi(["destroy", "--yes", ...options, ...args(stack)]);
      assert.notEqual(code, 0);
      assert.match(stdout, /cluster-protection/);
      assert.deepEqual([...(await resources(stack)).keys()], [...state.keys()]);
      assert.deepEqual(await servers(), cloud);
    });
  }
});

function args({ options }: Stack): string[] {
  return ["--stack", options.name, ...(options.configFile === undefined ? [] : ["--config-file", options.configFile])];
}
