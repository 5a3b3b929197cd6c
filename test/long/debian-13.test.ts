import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { StackFile } from "../../harness/stackFile";
import { run } from "../../operate/exec";
import { ROOT } from "../../operate/lab/places";
import { temporaryFolder } from "../support/folder";
import { servers } from "../lab/standing";
import { cluster, lab, open, stackFile, verb } from "../lab/support";
import { throughout } from "../lab/throughout";
import { deploy, withdraw } from "../witnesses/release";

const RELEASE = "debian-13";
const MOVED = ["lb-dc1", "lb-dc2", "lb-dc3", "app-dc1-1", "app-dc2-1", "app-dc3-1"];

/** The session is held on one of them. */
const STOPS = { loadBalancers: 3, appServers: 3, session: 1 };

describe("the next Debian release under load balancers and applications", () => {
  const folder = temporaryFolder();
  before(async () => {
    await run(join(ROOT, "lab", "lab.sh"), ["image", RELEASE]);
    await deploy(cluster);
  });
  after(async () => {
    await withdraw(cluster);
    folder.remove();
  });

  const next = (): StackFile =>
    stackFile().set("loadBalancers", { image: RELEASE }).set("appServers.app.image", RELEASE);

  /** Debian's version on every server, by its role. */
  async function releases(): Promise<Record<string, string[]>> {
    const ask = (names: string[]): Promise<string[]> =>
      Promise.all(names.map(async (name) => (await lab.on(name, "cat /etc/debian_version")).split(".")[0]!));
    const { loadBalancers, databases, appServers } = cluster;
    return { lb: await ask(loadBalancers), db: await ask(databases), app: await ask(appServers) };
  }

  for (const [what, file, version] of [
    ["one server after the other is made anew with it", next().set("mayReplace", MOVED), "13"],
    ["and back", stackFile().set("mayReplace", MOVED), "12"],
  ] as const) {
    test(`${what}, unnoticed`, async (t) => {
      const before = await servers();
      const stack = await open(file, folder.path);
      const row = { name: `Debian ${version} under load balancers and applications`, stops: STOPS };
      await throughout(t, row, () => stack.up());
      const [lb, app] = [version, version].map((each) => [each, each, each]);
      assert.deepEqual(await releases(), { lb, db: ["12", "12", "12"], app });
      const now = await servers();
      for (const [name, is] of before) {
        assert.equal(
          now.get(name) !== is,
          MOVED.some((id) => name === `test-${id}`),
          name,
        );
      }
      await stack.up(["--expect-no-changes"]);
      const { stdout, stderr } = await verb("verify", stack, "--json");
      assert.deepEqual((JSON.parse(stdout) as { findings: unknown[] }).findings, [], stderr);
    });
  }
});
