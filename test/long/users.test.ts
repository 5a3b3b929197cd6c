import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { StackFile } from "../../harness/stackFile";
import { stackState } from "../../operate/lab/places";
import { Fleet } from "../../operate/fleet";
import { until } from "../../operate/poll";
import type { Stack } from "../../operate/stack";
import { temporaryFolder } from "../support/folder";
import { killEngine } from "../lab/engine";
import { servers } from "../lab/standing";
import { cluster, lab, NAME, open, stackFile } from "../lab/support";
import { throughout } from "../lab/throughout";
import { deploy, withdraw } from "../witnesses/release";

describe("another user who logs in", () => {
  const folder = temporaryFolder();

  before(() => deploy(cluster));
  after(async () => {
    await withdraw(cluster);
    folder.remove();
  });

  const as = (user: string): StackFile => stackFile().set("ssh.user", user);

  /** As the outputs tell an operator to log in: as whom, on each server. */
  async function logins(stack: Stack): Promise<Map<string, string>> {
    const fleet = await Fleet.open(stack);
    try {
      const found = fleet.names().map(async (name): Promise<[string, string]> => {
        return [name, (await fleet.must(name, "echo $SUDO_USER")).trim()];
      });
      return new Map(await Promise.all(found));
    } finally {
      await fleet.close();
    }
  }

  test("is let in by every server that runs, unnoticed by clients, and by one that is made with it", async (t) => {
    const before = await servers();
    const file = as("ops").set("appServers.app.perDatacenter", { dc1: 1, dc2: 2, dc3: 1 });
    const stack = await open(file, folder.path);
    const { output } = await throughout(t, { name: "another `ssh.user`, and an application server more" }, () =>
      stack.up(),
    );
    assert.match(output, /lb-dc1: debian lets ops in; nothing stops/);
    const now = await servers();
    assert.ok(now.has("test-app-dc2-2"));
    for (const [name, id] of before) assert.equal(now.get(name), id);
    assert.deepEqual([...new Set((await logins(stack)).values())], ["ops"]);
    await stack.up(["--expect-no-changes"]);
  });

  test("a run back that was killed half-way goes on with the one user, and then with the other", async (t) => {
    const back = await open(as("debian"), folder.path);
    let printed = "";
    const command = ["up", "--yes", "--skip-preview", "--stack", NAME, "--config-file", back.options.configFile!];
    const ended = back.pulumi(command, { echo: (text) => (printed += text) });
    await until(
      "the last load balancer to hear of it",
      () => Promise.resolve(printed),
      (text) => text.includes("lb-dc1-secrets updating"),
      { seconds: 120, every: 20 },
    );
    // As in 6-locks.test.ts: not while the engine writes its state.
    await until(
      "the push on the machine",
      () => lab.ssh("test-lb-dc1", "test -d /var/lib/ha-cluster/incoming"),
      ({ code }) => code === 0,
      { every: 20 },
    );
    await killEngine(stackState(NAME), NAME);
    assert.notEqual((await ended).code, 0);
    await back.must(["cancel", "--yes", "--stack", NAME]);

    const onwards = await open(as("ops"), folder.path);
    await onwards.up();
    assert.deepEqual([...new Set((await logins(onwards)).values())], ["ops"]);
    await onwards.up(["--expect-no-changes"]);

    const stack = await open(stackFile(), folder.path);
    const { mastership } = await throughout(
      t,
      { name: "the old user again, and a server less", stops: { appServers: 1 } },
      () => stack.up(),
    );
    assert.equal(mastership.handovers, 0, "nothing stops");
    assert.deepEqual([...new Set((await logins(stack)).values())], ["debian"]);
    await stack.up(["--expect-no-changes"]);
  });
});
