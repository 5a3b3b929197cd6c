import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { reattach } from "../../../verify/reattach";

class Cut extends Error {}

/** A server as Nova has it: ports come behind those that are there, and only an orderly start makes what it has its interfaces. */
class World {
  status: string;
  interfaces: string[] = [];
  readonly calls: string[] = [];
  /** After how many calls the caller is killed. */
  life = Infinity;
  refuses?: string;

  constructor(
    public ports: string[],
    status = "ACTIVE",
  ) {
    this.status = status;
  }

  readonly nova = {
    status: () => Promise.resolve(this.status),
    portsOf: () => Promise.resolve([...this.ports]),
    stop: () => this.does("stop", () => (this.status = "SHUTOFF")),
    start: () =>
      this.does("start", () => {
        this.status = "ACTIVE";
        this.interfaces = [...this.ports];
      }),
    attach: (_: string, port: string) => this.does(`attach ${port}`, () => this.ports.push(port)),
    detach: (_: string, port: string) =>
      this.does(`detach ${port}`, () => (this.ports = this.ports.filter((each) => each !== port))),
  };

  private does(what: string, act: () => unknown): Promise<void> {
    if (this.life-- <= 0) return Promise.reject(new Cut());
    if (what === this.refuses) return Promise.reject(new Error("503: no more slots"));
    this.calls.push(what);
    act();
    return Promise.resolve();
  }
}

const WANTED = ["external", "internal"];

const give = (world: World, ports = WANTED): Promise<void> =>
  reattach({ name: "dev-lb-dc1", server: "server", ports }, world.nova, 1);

describe("a server gets its ports back", () => {
  for (const [what, had, calls] of [
    ["the last one", ["external"], ["stop", "attach internal", "start"]],
    [
      "the first one, and those behind it once more",
      ["internal"],
      ["stop", "detach internal", "attach external", "attach internal", "start"],
    ],
    ["all", [], ["stop", "attach external", "attach internal", "start"]],
  ] as const) {
    test(`${what}, while it is off, so that each interface has its name`, async () => {
      const world = new World([...had]);
      await give(world);
      assert.deepEqual([world.calls, world.interfaces, world.status], [[...calls], WANTED, "ACTIVE"]);
    });

    test(`${what}, also when that was cut anywhere before`, async () => {
      for (let life = 0; life <= calls.length; life++) {
        const world = new World([...had]);
        world.life = life;
        await give(world).catch((error: unknown) => assert.ok(error instanceof Cut));
        world.life = Infinity;
        await give(world);
        assert.deepEqual([world.interfaces, world.status], [WANTED, "ACTIVE"], `cut after ${life}`);
      }
    });
  }

  test("and is started with what it has where the cloud refuses one", async () => {
    const world = new World(["external"]);
    world.refuses = "attach internal";
    await assert.rejects(give(world), /503: no more slots/);
    assert.deepEqual([world.calls, world.status], [["stop", "start"], "ACTIVE"]);
  });

  test("one that is off is not stopped, and one that Nova works on is left alone", async () => {
    const off = new World([], "SHUTOFF");
    await give(off, ["internal"]);
    assert.deepEqual(off.calls, ["attach internal", "start"]);
    const busy = new World([], "ERROR");
    await assert.rejects(give(busy), /dev-lb-dc1 is ERROR: it can be given a port only when/);
    assert.deepEqual(busy.calls, []);
  });
});
