import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { stackState } from "../../operate/lab/places";
import { type Result } from "../../operate/exec";
import { until } from "../../operate/poll";
import type { Stack } from "../../operate/stack";
import { temporaryFolder } from "../support/folder";
import { recovered } from "./cut";
import { killEngine } from "./engine";
import { cluster, lab, NAME, open, stackFile } from "./support";

/** Itself it is not called so. */
const PUSH = "pgrep -fo 'push.sh load-balancer [f]iles'";

/** Ends the login that a push came by. */
const CUT_OFF = `set -e
p=$(${PUSH})
until [ "$(cat /proc/$p/comm)" = sshd ]; do p=$(awk '{ print $4 }' /proc/$p/stat); done
kill -KILL $p`;

describe("two `pulumi up`s on the same stack", () => {
  const folder = temporaryFolder();
  let stack: Stack;

  before(async () => {
    stack = await open(stackFile(), folder.path);
  });
  after(() => folder.remove());

  /** Begins an `up`, and returns once the push to the first load balancer is under way. */
  async function begin(changed: Stack): Promise<{ ended: Promise<Result> }> {
    let printed = "";
    const ended = changed.pulumi(up(changed), { echo: (text) => (printed += text) });
    await until(
      "the first push",
      () => Promise.resolve(printed),
      (text) => text.includes("lb-dc3-config updating"),
      { seconds: 60 },
    );
    return { ended };
  }

  function up({ options }: Stack): string[] {
    return ["up", "--yes", "--skip-preview", "--stack", NAME, "--config-file", options.configFile!];
  }

  test("the second is refused and says why, the first comes to its end, and nothing is lost", async (t) => {
    const changed = await open(stackFile().set("services.web.healthCheck", "/"), folder.path);
    const { ended } = await begin(changed);
    const second = await changed.pulumi(up(changed));
    assert.notEqual(second.code, 0);
    assert.match(second.stdout + second.stderr, /the stack is currently locked by 1 lock/);
    t.diagnostic((second.stdout + second.stderr).trim());
    const first = await ended;
    assert.equal(first.code, 0, first.stdout + first.stderr);
    await changed.up(["--expect-no-changes"]);
  });

  test("an engine killed in mid-push leaves its lock; after `pulumi cancel` the next up converges", async () => {
    stack = await open(stackFile(), folder.path);
    const { ended } = await begin(stack);
    // The engine has noted what it does by the time that the machine does it: a kill while it writes its state is another
    // matter, see below.
    await until(
      "the push on the machine",
      () => lab.ssh("test-lb-dc3", "test -d /var/lib/ha-cluster/incoming"),
      ({ code }) => code === 0,
      { every: 20 },
    );
    await killEngine(stackState(NAME), NAME);
    assert.notEqual((await ended).code, 0);

    const refused = await stack.pulumi(up(stack));
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout + refused.stderr, /pulumi cancel/);
    await stack.must(["cancel", "--yes", "--stack", NAME]);
    await stack.up();
    await stack.up(["--expect-no-changes"]);
    await cluster.master(cluster.addresses(["ipv4", "ipv6"]));
  });

  test("a machine that goes on when the connection breaks has the old files again after `up` with the old stack file", async () => {
    const path = "/?broken";
    const changed = await open(stackFile().set("services.web.healthCheck", path), folder.path);
    const { ended } = await begin(changed);
    await until(
      "the push on the machine",
      () => lab.ssh("test-lb-dc3", PUSH),
      ({ code }) => code === 0,
      { every: 20 },
    );
    await lab.on("test-lb-dc3", CUT_OFF);
    assert.notEqual((await ended).code, 0);
    const asked = (): Promise<string> => lab.on("test-lb-dc3", "grep httpchk /etc/haproxy/haproxy.cfg");
    await until("the machine to go on", asked, (text) => text.includes(path), { seconds: 60 });

    stack = await open(stackFile(), folder.path);
    const { stdout } = await stack.preview();
    assert.match(stdout, /rollout \d+ was cut: everybody is pushed to once more/);
    await stack.up();
    assert.doesNotMatch(await asked(), /broken/);
    await stack.up(["--expect-no-changes"]);
    await cluster.master(cluster.addresses(["ipv4", "ipv6"]));
  });

  test("a kill in the moment of writing leaves attributes of the state empty; without them the next up converges", async () => {
    const attributes = join(stackState(NAME), ".pulumi", "stacks", "ha-cluster", `${NAME}.json.attrs`);
    writeFileSync(attributes, "");
    const { code, stderr } = await stack.pulumi(up(stack));
    assert.notEqual(code, 0);
    assert.match(stderr, /failed to load checkpoint: EOF/);
    assert.match(
      await recovered(stack),
      new RegExp(`^${attributes} was empty, as its writer was killed, and is deleted`),
    );
    await stack.up(["--expect-no-changes"]);
  });
});
