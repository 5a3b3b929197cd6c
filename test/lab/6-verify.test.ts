import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Result } from "../../operate/exec";
import { until } from "../../operate/poll";
import type { Stack } from "../../operate/stack";
import type { Finding } from "../../verify/finding";
import { temporaryFolder } from "../support/folder";
import { driftsOn } from "./drifts";
import { cluster, lab, open, stackFile, verb } from "./support";

type Shown = Omit<Finding, "repair"> & { repairable: boolean };

const ADDRESSES = cluster.addresses(["ipv4", "ipv6"]);

describe("`npm run verify`", () => {
  const folder = temporaryFolder();
  let stack: Stack;

  before(async () => {
    stack = await open(stackFile(), folder.path);
    await stack.up();
  });
  after(async () => {
    if ((await findings()).found.length > 0) {
      await stack.up(["--refresh"]);
      await verify("--repair");
    }
    folder.remove();
  });

  const verify = (...options: string[]): Promise<Result> => verb("verify", stack, ...options);

  async function findings(): Promise<{ code: number; found: Shown[] }> {
    const { code, stdout, stderr } = await verify("--json");
    assert.notEqual(stdout, "", stderr);
    return { code, found: (JSON.parse(stdout) as { findings: Shown[] }).findings };
  }

  async function clean(): Promise<void> {
    await until(
      "a clean verify",
      () => findings(),
      ({ code, found }) => code === 0 && found.length === 0,
      { seconds: 90 },
    );
  }

  test("a cluster as it was built has no finding", clean);

  test("eighteen kinds of drift made by hand are found, each by its check, and mended by --repair", async (t) => {
    const master = await cluster.master(ADDRESSES);
    const [first, second] = cluster.loadBalancers.filter((name) => name !== master) as [string, string];
    const drifts = driftsOn(master, first, second, folder.path);
    await Promise.all(drifts.map(({ make }) => make()));

    const { code, found } = await findings();
    assert.equal(code, 1);
    for (const { kind, where, check, what } of drifts) {
      const fits = found.filter((each) => each.check === check && each.where === where && what.test(each.what));
      assert.equal(fits.length > 0, true, `${kind} on ${where}, in ${JSON.stringify(found, undefined, 1)}`);
      t.diagnostic(`${kind}: ${where} ${fits[0]!.what}: ${fits[0]!.found}`);
    }
    const key = readFileSync(join(folder.path, "key.pem"), "utf8").split("\n")[1]!;
    assert.ok(!JSON.stringify(found).includes(key), "a secret file's content is never shown");

    const { code: left, stdout, stderr } = await verify("--repair");
    assert.equal(left, 0, stdout + stderr);
    await clean();
    const { code: same, stdout: preview } = await stack.preview(["--refresh", "--expect-no-changes"]);
    assert.equal(same, 0, preview);
    await cluster.master(ADDRESSES);
  });

  test("a machine that is off is a finding, and the others are looked at all the same", async () => {
    const lost = "test-app-dc1-1";
    await lab.power(lost, "off");
    try {
      const { code, found } = await findings();
      assert.equal(code, 1);
      assert.ok(found.some(({ check, where }) => check === "reachability" && where === lost));
      assert.ok(!found.some(({ check, where }) => check === "reachability" && where !== lost));
    } finally {
      await lab.power(lost, "on");
    }
    await clean();
  });

  test("a server in ERROR, an empty disk and a lost port are one finding each; --repair deletes no server", async (t) => {
    const [failed, rebuilt, cut] = ["test-app-dc1-1", "test-app-dc2-1", "test-app-dc3-1"];
    const idOf = async (name: string): Promise<string> =>
      (await lab.openstack<{ id: string }>("server", "show", name)).id;
    const asAdmin = (...args: string[]): Promise<void> => lab.openstackDo("--os-cloud", "lab-admin", ...args);
    const [failedId, rebuiltId, cutId] = await Promise.all([failed, rebuilt, cut].map(idOf));
    const port = await lab.openstack<{ id: string }>("port", "show", `${cut}-internal`);
    await Promise.all([
      asAdmin("server", "set", "--auto-approve", "--state", "error", failedId!),
      lab.openstackDo("server", "rebuild", "--wait", rebuiltId!),
      asAdmin("port", "delete", port.id),
    ]);
    try {
      const { found } = await until(
        "the rebuilt server to be asked",
        findings,
        (answer) => answer.found.some(({ where, what }) => where === rebuilt && what === "disk"),
        { seconds: 60 },
      );
      const own = (name: string): Shown[] => found.filter(({ where }) => where === name);
      assert.deepEqual(
        own(failed).map(({ what, found: said }) => [what, said]),
        [["server", "in ERROR: the cloud says no more"]],
      );
      assert.equal(own(rebuilt).length, 1, JSON.stringify(own(rebuilt)));
      assert.deepEqual(
        own(cut).map(({ what, found: said }) => [what, said]),
        [[`port ${cut}-internal`, "gone"]],
      );
      assert.ok(!JSON.stringify(found).includes("Port app-dc3-1-internal"), "it is not said twice");
    } finally {
      await asAdmin("server", "set", "--auto-approve", "--state", "active", failedId!);
    }
    const { code, stdout, stderr } = await verify("--repair");
    t.diagnostic(
      stderr
        .split("\n")
        .filter((line) => line.startsWith("repair:"))
        .join("; "),
    );
    assert.equal(code, 0, stdout + stderr);
    assert.match(
      stderr,
      new RegExp(`repair: ${cut} is stopped, gets port ${cut}-internal, made anew .*its disk stays`),
    );
    assert.deepEqual([await idOf(cut), await idOf(rebuilt)], [cutId, rebuiltId]);
    await clean();
  });

  test("a stack file that has moved on is told apart from drift, and keeps --repair from rolling it out", async () => {
    const moved = await open(stackFile().set("services.web.healthCheck", "/"), folder.path);
    try {
      await lab.on("test-app-dc1-1", "systemctl stop app");
      const { code, stdout, stderr } = await verify("--repair", "--json");
      assert.equal(code, 1);
      assert.match(stderr, /nothing repaired: the stack file or the program has moved on/);
      const { findings: found } = JSON.parse(stdout) as { findings: Shown[] };
      assert.ok(found.some(({ check, severity }) => check === "stack" && severity === "warning"));
      assert.ok(found.some(({ where, check }) => where === "test-app-dc1-1" && check === "daemons"));
    } finally {
      await lab.on("test-app-dc1-1", "systemctl start app");
      stack = await open(stackFile(), folder.path);
    }
    assert.equal(moved.options.configFile, stack.options.configFile);
    await clean();
  });
});
