import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import type { Result } from "../../../operate/exec";
import { until } from "../../../operate/poll";
import type { Stack } from "../../../operate/stack";
import { HALF_RECOVERED } from "../../../plan/mark";
import { OtherCloud } from "../../../recover/decide";
import { isHeld } from "../../../recover/lock";
import { recover, type Recovered } from "../../../recover/run";
import type { Deployment, Resource } from "../../../recover/state";
import { temporaryFolder } from "../../support/folder";
import { FakeCloud } from "./cloud";
import { cutShort, type Fate } from "./project";

/*
 * In which order state and cloud are touched, and what is left when it doesn't come to its end. A real engine and a real cloud are
 * in test/lab/6-recover.test.ts.
 */

const INSTANCE = "openstack:compute/instance:Instance";
const lockedBy = (who: string, pid: number): string =>
  `error: the stack is currently locked by 1 lock(s).
  file:///x.json: created by ${who} (pid ${pid}) at then`;
const LOCKED = lockedBy("ann@elsewhere", 1);

let cloud: FakeCloud;
before(async () => {
  cloud = await FakeCloud.start();
});
after(() => cloud.stop());

/** What pulumi does to a state, as far as it is asked. */
class State {
  readonly ran: string[] = [];
  locked: string | undefined;
  /** How often the state is read before somebody else changes it. */
  quiet = Infinity;
  wanted: Resource[] | undefined = [];
  refreshes = true;

  constructor(public deployment: Deployment) {}

  async run(unlock = false): Promise<Recovered & { said: string[] }> {
    const said: string[] = [];
    const must = async (args: readonly string[], options?: { input?: string }): Promise<string> => {
      const { code, stdout, stderr } = await this.pulumi(args, options);
      if (code !== 0) throw new Error(stderr);
      return stdout;
    };
    const stack = {
      options: { name: "dev", environment: cloud.environment },
      env: {},
      must,
      pulumi: (args: readonly string[], options?: { input?: string }) => this.pulumi(args, options),
    };
    const recovered = await recover(stack as unknown as Stack, { unlock, say: (line) => said.push(line) });
    return { ...recovered, said };
  }

  private pulumi(args: readonly string[], { input = "" } = {}): Promise<Result> {
    const [verb, what] = args;
    const done = (stdout = ""): Promise<Result> => Promise.resolve({ code: 0, stdout, stderr: "" });
    const failed = (stderr: string): Promise<Result> => Promise.resolve({ code: 255, stdout: "", stderr });
    if (what === "export" && --this.quiet < 0) this.deployment["metadata"] = { by: "another run" };
    if (what === "export") return done(JSON.stringify({ version: 3, deployment: this.deployment }));
    this.ran.push(verb === "stack" ? what! : verb!);
    if (verb === "preview")
      return this.wanted
        ? done(JSON.stringify({ steps: this.wanted.map((each) => ({ op: "create", urn: each.urn, newState: each })) }))
        : failed("the file is no stack file");
    if (verb === "cancel") this.locked = undefined;
    else if (this.locked !== undefined) return failed(this.locked);
    else if (what === "import")
      this.deployment = { ...(JSON.parse(input) as { deployment: Deployment }).deployment, pending_operations: [] };
    else if (verb === "refresh") {
      if (!this.refreshes) return failed("the cloud does not answer");
      this.deployment.resources = this.deployment.resources!.filter((each) => this.read(args, each));
    }
    return done();
  }

  /** @returns whether the cloud has it */
  private read(args: readonly string[], each: Resource): boolean {
    if (!args.includes(each.urn)) return true;
    delete each.initErrors;
    return each.type !== INSTANCE || cloud.inventory.servers.some(({ id }) => id === each.id);
  }
}

function cut(fateOf: (name: string) => Fate): State {
  const { deployment, cloud: inventory } = cutShort(2, fateOf);
  cloud.inventory = inventory;
  return new State(deployment);
}

const serversMade = (name: string): Fate => (/^app-\d$/.test(name) ? "made" : "done");

const halves = ({ deployment }: State): number =>
  deployment.resources!.filter(({ initErrors = [] }) => initErrors.includes(HALF_RECOVERED)).length;

beforeEach(() => {
  cloud.told.length = 0;
  cloud.becomes = () => undefined;
});

test("what was made is taken in, read, and marked as found; servers that are being made are waited for", async () => {
  const state = cut(serversMade);
  for (const each of cloud.inventory.servers) each.status = "BUILD";
  let asked = 0;
  cloud.becomes = (server) => {
    if (++asked > 4) server.status = "ACTIVE";
  };
  const { unclear, older, said } = await state.run();
  assert.deepEqual([unclear, older], [false, false]);
  assert.deepEqual(state.ran, ["import", "refresh", "preview"]);
  assert.deepEqual(cloud.told, ["POST /servers/app-1-id/metadata ACTIVE", "POST /servers/app-2-id/metadata ACTIVE"]);
  assert.equal(halves(state), 0);
  assert.equal(said.length, 2);
});

test("while somebody is at work, neither state nor cloud is touched; what never ran goes only after that", async () => {
  const state = cut(serversMade);
  Object.assign(cloud.inventory.servers[0]!, { status: "ERROR", "OS-SRV-USG:launched_at": null });
  state.locked = LOCKED;
  const before = structuredClone(state.deployment);
  await assert.rejects(state.run(), /^Error: ann on elsewhere \(pid 1\) .* can't be seen from here/);
  assert.deepEqual([state.deployment, cloud.told], [before, []]);

  const { said } = await state.run(true);
  assert.deepEqual(state.ran.slice(1), ["import", "cancel", "import", "refresh", "preview"]);
  assert.deepEqual(cloud.told, ["DELETE /servers/app-1-id ERROR", "POST /servers/app-2-id/metadata ACTIVE"]);
  assert.ok(said.includes("server dev-app-1: in ERROR and never ran, app-1-id is deleted"));
  assert.deepEqual(
    state.deployment.resources!.filter(({ type }) => type === INSTANCE).map(({ id }) => id),
    ["app-2-id"],
  );
});

test("the lock of a run that lives is no --unlock's, and a state that changes meanwhile is left alone", async () => {
  const state = cut(serversMade);
  const folder = temporaryFolder();
  const engine = join(folder.path, "pulumi");
  copyFileSync("/bin/sleep", engine);
  const child = spawn(engine, ["60"]);
  try {
    const lock = { user: userInfo().username, host: hostname(), pid: child.pid!, since: "" };
    await until(
      "it to run",
      () => Promise.resolve(isHeld(lock)),
      (held) => held === true,
    );
    state.locked = lockedBy(`${lock.user}@${lock.host}`, lock.pid);
    await assert.rejects(state.run(true), /is at work: wait for its end/);
  } finally {
    child.kill("SIGKILL");
    folder.remove();
  }
  state.locked = undefined;
  state.ran.length = 0;
  state.quiet = 1;
  await assert.rejects(state.run(), /the state changed meanwhile/);
  assert.deepEqual([state.ran, cloud.told], [[], []]);
});

test("where something is unclear, what was begun stays noted", async () => {
  const state = cut(serversMade);
  for (const port of cloud.inventory.ports) port.device_id = "";
  cloud.inventory.servers.push({ ...cloud.inventory.servers[0]!, id: "other" });
  const before = structuredClone(state.deployment);
  const { unclear, said } = await state.run();
  assert.deepEqual([unclear, state.deployment, state.ran], [true, before, []]);
  assert.match(said.join("\n"), /^server app-1: it could be any of app-1-id, other/m);
});

test("cut before it has read what it took in, it does so the next time", async () => {
  const state = cut(serversMade);
  state.refreshes = false;
  await assert.rejects(state.run(), /does not answer/);
  assert.equal(halves(state), 2);
  state.refreshes = true;
  await state.run();
  assert.equal(halves(state), 0);
});

test("what only the next run would make is found by its preview, without its secrets; without one somebody has to look", async () => {
  const state = cut((name) => (name === "app-2" ? "made" : "done"));
  const { resource } = state.deployment.pending_operations![0]!;
  state.deployment.pending_operations = [];
  state.wanted = undefined;
  const blind = await state.run();
  assert.deepEqual([blind.unclear, blind.said.length], [true, 1]);
  assert.match(blind.said[0]!, /the file is no stack file/);

  state.wanted = [{ ...resource, inputs: { ...resource.inputs, userData: "[secret]" } }];
  const { older } = await state.run();
  assert.equal(older, true);
  const server = state.deployment.resources!.find(({ id }) => id === "app-2-id")!;
  assert.doesNotMatch(JSON.stringify(server), /secret/);
  assert.deepEqual(cloud.told, ["POST /servers/app-2-id/metadata ACTIVE"]);
});

test("of two that the next run would make one of, none is taken", async () => {
  const state = cut((name) => (name === "app-2" ? "made" : "done"));
  state.wanted = [state.deployment.pending_operations![0]!.resource];
  state.deployment.pending_operations = [];
  for (const port of cloud.inventory.ports) port.device_id = "";
  cloud.inventory.servers.push({ ...cloud.inventory.servers.at(-1)!, id: "other" });
  assert.equal((await state.run()).unclear, true);
});

test("in another cloud nothing is changed", async () => {
  const state = cut(() => "done");
  cloud.inventory = cutShort(0, () => "not begun").cloud;
  await assert.rejects(state.run(), /is it the right one/i);
  await assert.rejects(state.run(), OtherCloud);
  assert.deepEqual([state.ran, cloud.told], [[], []]);
});

test("of a stack without a cloud only the lock goes", async () => {
  for (const resources of [[], [{ urn: "urn:root", type: "pulumi:pulumi:Stack" }]]) {
    const state = new State({ resources, pending_operations: [] });
    state.locked = LOCKED;
    await assert.rejects(state.run(), /can't be seen from here/);
    await state.run(true);
    assert.equal(state.locked, undefined);
    assert.deepEqual(state.deployment.resources, resources);
  }
});
