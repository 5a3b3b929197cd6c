import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Stack } from "../../operate/stack";
import { lab, NAME, open, stackFile } from "./support";
import { temporaryFolder } from "../support/folder";

describe("`pulumi destroy`", () => {
  const folder = temporaryFolder();
  let stack: Stack;

  before(async () => {
    stack = await open(stackFile().set("mayDestroy", NAME), folder.path);
  });
  after(() => folder.remove());

  test("leaves nothing in the cloud but what the provider gave, once the file says so", async () => {
    await stack.up();
    await stack.destroy();
    assert.deepEqual(await lab.openstack("server", "list"), []);
    assert.deepEqual(await lab.openstack("port", "list"), []);
    assert.deepEqual(await lab.openstack("keypair", "list"), []);
    assert.deepEqual(await lab.openstack("server", "group", "list"), []);
    const names = async (...command: string[]): Promise<string[]> =>
      (await lab.openstack<{ Name: string }[]>(...command)).map((each) => each.Name).sort();
    assert.deepEqual(await names("network", "list"), ["external"]);
    assert.deepEqual(await names("subnet", "list"), ["external-ipv4", "external-ipv6"]);
    assert.deepEqual(await names("security", "group", "list"), ["default"]);
  });

  test("leaves nothing in the state", async () => {
    const { deployment } = JSON.parse(await stack.must(["stack", "export", "--stack", "test"])) as {
      deployment: { resources?: unknown[] };
    };
    assert.deepEqual(deployment.resources ?? [], []);
    await stack.must(["stack", "rm", "--yes", "--stack", "test"]);
  });
});
