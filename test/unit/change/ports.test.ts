import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Change, changeOf } from "../../../change/change";
import { deployed, type Pending, type Resource } from "../../../change/deployed";
import { bundlesOf } from "../../../change/files";
import { plan, type Plan } from "../../../plan/plan";
import { bundle } from "../../../render/bundle";
import { appServerFiles } from "../../../render/files";
import { dualStack, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

const COMMAND = "command:remote:Command";
const planned = (port: number): Plan => plan(specOf(dualStack({ appServers: { app: { port } } })));

/** A Command's text; what is compared is all of it. */
interface Said {
  create: string;
  stdin?: string;
}

/** The state of the stack, and what is on the machines: what was last pushed to each. */
class World {
  private readonly others: Resource[];
  private readonly commands = new Map<string, Said>();
  private readonly machines = new Map<string, string>();
  private pending: Pending[] = [];

  constructor(private readonly built: Plan) {
    const all = stateOf(built);
    this.others = all.filter(({ urn }) => !urn.endsWith("-config"));
    for (const [id, stdin] of Object.entries(bundlesOf(built, "sample"))) {
      this.commands.set(`${id}-config`, { create: "push", stdin });
      this.machines.set(id, stdin);
    }
    this.everybodyIsAnswered("when it is built");
  }

  change(now: Plan): Change {
    const commands = [...this.commands].map(([name, said]) => resourceOf(name, said));
    return changeOf(now, deployed([...this.others, ...commands], this.pending));
  }

  /**
   * As components/ do it; see the order in turns.test.ts. It ends after so many steps; if it is killed, in the last one, whose
   * push the machine may have brought to its end or not.
   */
  up(port: number, { steps: most = Infinity, killed }: { steps?: number; killed?: "late" | "early" } = {}): number {
    const now = planned(port);
    const change = this.change(now);
    // What was to be created stays; see backend/snapshot.go of Pulumi.
    this.pending = this.pending.filter(({ type }) => type === "creating");
    const texts = bundlesOf(now, "sample");
    const steps: [string, string | undefined, Said][] = [];
    for (const node of now.appServers) {
      const move = change.moves[node.id];
      if (move?.due !== true) continue;
      const stdin = bundle(appServerFiles(now, node, "sample", move.former));
      steps.push([`${node.id}-between`, node.id, { create: `push # ${move.words}`, stdin }]);
    }
    const push = (id: string): void => {
      const after = change.after[id];
      steps.push([
        `${id}-config`,
        id,
        { create: after === undefined ? "push" : `push # after: ${after}`, stdin: texts[id]! },
      ]);
    };
    for (const { id } of now.loadBalancers) push(id);
    if (change.pause?.due === true) steps.push(["ports-pause", undefined, { create: `sleep # ${change.pause.words}` }]);
    for (const { id } of now.appServers) push(id);
    const due = steps.filter(([name, , said]) => JSON.stringify(said) !== JSON.stringify(this.commands.get(name)));
    for (const [index, [name, id, said]] of due.entries()) {
      const kill = index + 1 >= most ? killed : undefined;
      if (id !== undefined && kill !== "early") this.machines.set(id, said.stdin!);
      this.everybodyIsAnswered(`on the way to ${port}, after ${name}`);
      if (kill) this.begun(name, said);
      else this.commands.set(name, said);
      if (index + 1 >= most) break;
    }
    return due.length;
  }

  private begun(name: string, said: Said): void {
    const type = this.commands.has(name) ? "updating" : "creating";
    this.pending.push({ type, resource: resourceOf(name, said) });
  }

  /** Whatever port a load balancer asks an application at, somebody answers there. */
  private everybodyIsAnswered(when: string): void {
    for (const { id } of this.built.loadBalancers) {
      for (const [, address, port] of this.machines.get(id)!.matchAll(/^ +server \S+-app-\S+ ([0-9.]+):(\d+)/gm)) {
        const app = this.built.appServers.find(({ internal }) => internal === address)!;
        const text = this.machines.get(app.id)!;
        const listens = /^LISTEN_PORT=(\d+)$/m.exec(text)![1];
        const redirected = [...text.matchAll(/tcp dport (\d+) redirect to :(\d+)/g)]
          .filter(([, , to]) => to === listens)
          .map(([, from]) => from);
        assert.ok([listens, ...redirected].includes(port), `${when}: ${id} asks ${app.id} at ${port!}`);
      }
    }
  }

  settledOn(port: number): void {
    const texts = bundlesOf(planned(port), "sample");
    for (const [id, text] of this.machines) {
      if (id.startsWith("app-") || id.startsWith("lb-")) assert.equal(text, texts[id], id);
    }
  }
}

function resourceOf(name: string, said: Said): Resource {
  return { urn: `urn:pulumi:dev::ha-cluster::x$${COMMAND}::${name}`, type: COMMAND, inputs: { ...said } };
}

describe("an application's port", () => {
  test("moves in one run: applications, load balancers, applications", () => {
    const world = new World(planned(8080));
    const change = world.change(planned(9000));
    assert.deepEqual(change.moves["app-dc1-1"], {
      former: [8080],
      words: "port 8080 to 9000",
      due: true,
      open: true,
    });
    assert.equal(change.after["app-dc1-1"], "port 8080 to 9000");
    assert.deepEqual(change.pause, { words: "port 8080 to 9000", due: true });
    assert.equal(change.after["lb-dc1"], undefined);
    assert.equal(world.up(9000), 3 + 3 + 1 + 3);
    world.settledOn(9000);
    assert.equal(world.up(9000), 0);
  });

  test("moves nowhere when nobody asks for another", () => {
    const { moves, pause } = new World(planned(8080)).change(planned(8080));
    assert.deepEqual([moves, pause], [{}, undefined]);
  });

  test("there and back and there again", () => {
    const world = new World(planned(8080));
    for (const port of [9000, 8080, 9000, 9001]) {
      assert.equal(world.up(port), 10);
      world.settledOn(port);
      assert.equal(world.up(port), 0);
    }
  });

  for (const [to, way] of [
    [9000, "onwards"],
    [8080, "back"],
    [9001, "elsewhere"],
  ] as const) {
    test(`wherever a run ends or is killed, the next one goes ${way}, and somebody answers all along`, () => {
      for (const killed of [undefined, "late", "early"] as const) {
        for (let steps = 1; steps <= 10; steps++) {
          const world = new World(planned(8080));
          world.up(9000, { steps, ...(killed && { killed }) });
          converges(world, to, `${killed ?? "ended"} in step ${steps}`);
        }
      }
    });
  }

  test("however often runs end early, and whichever file they go on with", () => {
    const port = fc.constantFrom(8080, 9000, 9001);
    const ended = fc.record({ port, steps: fc.integer({ min: 1, max: 12 }) });
    fc.assert(
      fc.property(fc.array(ended, { minLength: 2, maxLength: 4 }), port, (runs, last) => {
        const world = new World(planned(8080));
        for (const { port, steps } of runs) world.up(port, { steps });
        converges(world, last, "at last");
      }),
      { numRuns: 30 },
    );
  });
});

function converges(world: World, port: number, when: string): void {
  world.up(port);
  world.settledOn(port);
  assert.equal(world.up(port), 0, `${when}: nothing is left to do`);
}
