import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Stack } from "../../operate/stack";
import { temporaryFolder } from "../support/folder";
import { type Cut, cutShort, everythingIsKnown, isBegun, recovered } from "./cut";
import { servers } from "./standing";
import { cluster, lab, NAME, open, stackFile, verb } from "./support";
import { unnoticed } from "./unnoticed";

/** Six application servers in the place of three. */
const GROWN = stackFile().set("appServers.app.perDatacenter", 2);

const REMADE = `${NAME}-app-dc1-1`;

const GROWING: Cut[] = [
  {
    at: /Instance app-dc1-2 creating/,
    once: () => isBegun(`${NAME}-app-dc1-2`),
    signal: "SIGKILL",
    whom: "engine",
  },
  { at: /Command app-\S+-2-scripts creating/, signal: "SIGHUP", whom: "engine" },
];

const SHRINKING: Cut[] = [{ at: /Instance app-\S+-2 deleting/, nth: 2, signal: "SIGKILL", whom: "engine" }];

describe("runs that are cut, one after the other", () => {
  const folder = temporaryFolder();
  let stack: Stack;
  let backup: string;

  before(async () => {
    stack = await open(stackFile(), folder.path);
    await stack.up();
    backup = await stack.must(["stack", "export", "--stack", NAME]);
  });
  after(() => folder.remove());

  /** Each goes on where the one before was cut; what was refused on the way. */
  async function cutAll(cuts: readonly Cut[]): Promise<string> {
    let said = "";
    for (const cut of cuts) {
      const printed = await cutShort(stack, "up", cut);
      assert.notEqual(printed, undefined, `nothing was cut at ${cut.at}`);
      said += (await stack.preview()).stdout;
      said += await recovered(stack);
      await everythingIsKnown(stack);
    }
    await stack.up();
    return said;
  }

  test("growing: what the cloud has is known again, the run goes on, and no client notices", async (t) => {
    stack = await open(GROWN, folder.path);
    const { output } = await unnoticed(t, () => cutAll(GROWING));
    assert.match(
      output,
      /a run of this stack was cut while the cloud made app-.*First: npm run recover -- run --stack test/,
    );
    assert.match(output, /^server app-dc1-2: it is there \(\S+\), the state gets it$/m);
    assert.match(
      output,
      /\(pid \d+\) has had the stack's lock since .*, and that process is gone: the lock is taken away/,
    );
    await everythingIsKnown(stack);
    await stack.up(["--expect-no-changes"]);
  });

  test("a state of before all that, and of before a server was made anew: verify says so, and the same servers stay", async (t) => {
    await lab.openstackDo("server", "delete", "--wait", REMADE);
    await stack.up(["--refresh"]);
    const before = await servers();
    await stack.must(["stack", "import", "--stack", NAME], { input: backup });
    const { output } = await unnoticed(t, async () => {
      const { code, stdout, stderr } = await verb("verify", stack, "--repair");
      assert.equal(code, 1, stdout + stderr);
      const said = await recovered(stack);
      await stack.up(["--refresh"]);
      return stdout + stderr + said;
    });
    assert.match(
      output,
      /DRIFT +stack +state +a run was cut or is at work, or it is older than the cloud: server app-dc1-1: the state has/,
    );
    assert.match(output, /^nothing repaired: npm run recover -- run comes first/m);
    assert.match(output, /^The cloud had more than any run had noted/m);
    assert.deepEqual(await servers(), before);
    await everythingIsKnown(stack);
    await stack.up(["--expect-no-changes"]);
  });

  test("shrinking again", async (t) => {
    stack = await open(stackFile(), folder.path);
    await unnoticed(t, () => cutAll(SHRINKING));
    await everythingIsKnown(stack);
    await stack.up(["--expect-no-changes"]);
    await cluster.master(cluster.addresses(["ipv4", "ipv6"]));
  });
});
