import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Change, changeOf, NOTHING_MEANT } from "../../../change/change";
import { deployed, type Deployed, type Pending, type Resource } from "../../../change/deployed";
import { bundlesOf } from "../../../change/files";
import type { Move } from "../../../change/moves";
import { refusals } from "../../../change/refuse";
import { plan, type Plan } from "../../../plan/plan";
import { inTransition } from "../../../plan/transition";
import { bundle, type ConfigFile } from "../../../render/bundle";
import { appServerFiles, databaseFiles, loadBalancerFiles } from "../../../render/files";
import { SECRETS } from "../../support/changes";
import { dualStack, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

const COMMAND = "command:remote:Command";

/** What both sides have to change for. */
interface Setting {
  port: number;
  databasePort: number;
  internalVip: string;
  routerIds: { ipv4: number; ipv6: number; internal: number };
  primary: "www" | "api";
}

const BUILT: Setting = {
  port: 8080,
  databasePort: 3306,
  internalVip: "198.51.100.1",
  routerIds: { ipv4: 51, ipv6: 52, internal: 53 },
  primary: "www",
};

function planned({ port, databasePort, internalVip, routerIds, primary }: Setting): Plan {
  const vip = (name: "www" | "api", number: number): object => ({
    ipv4: `203.0.113.10${number}`,
    ipv6: `2001:db8:45:67bb::${number}`,
    ...(primary === name && { primary: true }),
  });
  return plan(
    specOf(
      dualStack({
        appServers: { app: { port } },
        database: { port: databasePort },
        internal: { cidr: "198.51.100.0/24", vip: internalVip },
        vrrp: { routerIds },
        vips: { www: vip("www", 1), api: vip("api", 2) },
      }),
    ),
  );
}

const onPort = (port: number): Setting => ({ ...BUILT, port });

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
    return changeOf(now, this.standing());
  }

  private standing(): Deployed {
    const commands = [...this.commands].map(([name, said]) => resourceOf(name, said));
    return deployed([...this.others, ...commands], this.pending);
  }

  /**
   * As components/ do it; see the order in turns.test.ts. It ends after so many steps; if it is killed, in the last one, whose
   * push the machine may have brought to its end or not.
   *
   * @returns how many steps there were, or nothing where it was refused
   */
  up(
    setting: Setting,
    { steps: most = Infinity, killed }: { steps?: number; killed?: "late" | "early" } = {},
  ): number | undefined {
    const now = planned(setting);
    const standing = this.standing();
    const change = changeOf(now, standing);
    if (refusals(now, NOTHING_MEANT, SECRETS, standing, change).length > 0) return undefined;
    // What was to be created stays; see backend/snapshot.go of Pulumi.
    this.pending = this.pending.filter(({ type }) => type === "creating");
    const texts = bundlesOf(now, "sample");
    const steps: [string, string | undefined, Said][] = [];
    for (const { planned: node } of change.kept) {
      const move = change.moves[node.id];
      if (move?.due !== true) continue;
      const stdin = bundle(filesBetween(now, node, move));
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
    for (const { id } of [...now.loadBalancers, ...now.databases]) push(id);
    if (change.pause?.due === true) steps.push(["ports-pause", undefined, { create: `sleep # ${change.pause.words}` }]);
    for (const { id } of now.appServers) push(id);
    const due = steps.filter(([name, , said]) => JSON.stringify(said) !== JSON.stringify(this.commands.get(name)));
    for (const [index, [name, id, said]] of due.entries()) {
      const kill = index + 1 >= most ? killed : undefined;
      if (id !== undefined && kill !== "early") this.machines.set(id, said.stdin!);
      this.everybodyIsAnswered(`on the way to ${JSON.stringify(setting)}, after ${name}`);
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

  private everybodyIsAnswered(when: string): void {
    const balancers = this.built.loadBalancers.map(({ id }) => ({ id, text: this.machines.get(id)! }));
    for (const { id, text } of balancers) {
      this.applicationsAnswer(id, text, when);
      const vips = [...text.matchAll(/^eth1 ([0-9.]+)\/32$/gm)].map(([, address]) => address);
      const listens = [.../^frontend database-in\n((?: .*\n)*)/m.exec(text)![1]!.matchAll(/bind (\S+)/g)].map(
        ([, address]) => address,
      );
      for (const { id: server } of [...this.built.databases, ...this.built.appServers]) {
        const own = this.machines.get(server)!;
        const [, gateway] = /^eth0 [0-9./]+ ([0-9.]+)$/m.exec(own)!;
        assert.ok(vips.includes(gateway), `${when}: ${id} is ${server}'s gateway ${gateway!}, not ${vips.join(" ")}`);
        const [host, port] = ["HOST", "PORT"].map((key) => new RegExp(`^DATABASE_${key}=(.*)$`, "m").exec(own)?.[1]);
        if (host === undefined) continue;
        assert.ok(
          listens.includes(`${host}:${port!}`),
          `${when}: ${id} has the database at ${host}:${port!} for ${server}`,
        );
        assert.ok(vips.includes(host), when);
      }
    }
    for (const a of balancers) {
      for (const b of balancers) assert.ok(hears(a.text, b.text), `${when}: ${a.id} hears ${b.id}`);
    }
  }

  /** Whatever port a load balancer asks an application at, somebody answers there. */
  private applicationsAnswer(id: string, text: string, when: string): void {
    for (const [, address, port] of text.matchAll(/^ +server \S+-app-\S+ ([0-9.]+):(\d+)/gm)) {
      const app = this.built.appServers.find(({ internal }) => internal === address)!;
      const own = this.machines.get(app.id)!;
      const listens = /^LISTEN_PORT=(\d+)$/m.exec(own)![1];
      const redirected = [...own.matchAll(/tcp dport (\d+) redirect to :(\d+)/g)]
        .filter(([, , to]) => to === listens)
        .map(([, from]) => from);
      assert.ok([listens, ...redirected].includes(port), `${when}: ${id} asks ${app.id} at ${port!}`);
    }
  }

  settledOn(setting: Setting): void {
    const texts = bundlesOf(planned(setting), "sample");
    for (const [id, text] of this.machines) assert.equal(text, texts[id], id);
  }
}

function filesBetween(now: Plan, node: Change["kept"][number]["planned"], move: Move): ConfigFile[] {
  switch (node.role) {
    case "load-balancer": {
      const between = inTransition(now, node, move.transition!);
      return loadBalancerFiles(between.plan, between.node);
    }
    case "database":
      return databaseFiles(now, node);
    case "app-server":
      return appServerFiles(now, node, "sample", move.former);
  }
}

/** Some instance of both has the same id and the same addresses in its adverts. */
function hears(a: string, b: string): boolean {
  const said = (text: string): string[] =>
    [
      ...text.matchAll(/^vrrp_instance (\S+) \{\n[^}]*?virtual_router_id (\d+)[^]*?virtual_ipaddress \{([^}]*)\}/gm),
    ].map(([, name, id, addresses]) => `${name!} ${id!} ${addresses!}`);
  return said(a).some((each) => said(b).includes(each));
}

function resourceOf(name: string, said: Said): Resource {
  return { urn: `urn:pulumi:dev::ha-cluster::x$${COMMAND}::${name}`, type: COMMAND, inputs: { ...said } };
}

describe("an application's port", () => {
  test("moves in one run: applications, load balancers, applications", () => {
    const world = new World(planned(BUILT));
    const change = world.change(planned(onPort(9000)));
    assert.deepEqual(change.moves["app-dc1-1"], {
      former: [8080],
      words: "port 8080 to 9000",
      due: true,
      open: true,
    });
    assert.equal(change.after["app-dc1-1"], "port 8080 to 9000");
    assert.deepEqual(change.pause, { words: "port 8080 to 9000", due: true });
    assert.equal(change.after["lb-dc1"], undefined);
    assert.equal(world.up(onPort(9000)), 3 + 3 + 1 + 3);
    world.settledOn(onPort(9000));
    assert.equal(world.up(onPort(9000)), 0);
  });

  test("moves nowhere when nobody asks for another", () => {
    const { moves, pause } = new World(planned(BUILT)).change(planned(BUILT));
    assert.deepEqual([moves, pause], [{}, undefined]);
  });

  test("there and back and there again", () => {
    const world = new World(planned(BUILT));
    for (const port of [9000, 8080, 9000, 9001]) {
      assert.equal(world.up(onPort(port)), 10);
      world.settledOn(onPort(port));
      assert.equal(world.up(onPort(port)), 0);
    }
  });

  everywhere("port", onPort(9000), { onwards: onPort(9000), back: BUILT, elsewhere: onPort(9001) });
});

describe("what load balancers and those behind them must agree on", () => {
  const port = { ...BUILT, databasePort: 3307 };
  const vip = { ...BUILT, internalVip: "198.51.100.2" };
  const ids = { ...BUILT, routerIds: { ipv4: 61, ipv6: 62, internal: 63 } };
  const primary: Setting = { ...BUILT, primary: "api" };
  const all: Setting = { ...port, ...vip, databasePort: 3307, routerIds: ids.routerIds, primary: "api", port: 9000 };
  const [balancers, databases, apps] = [3, 3, 3];

  for (const [title, setting, steps, words] of [
    [
      "the database's port",
      port,
      balancers + apps + balancers + 1 + apps,
      {
        "lb-dc1": "the database also at 198.51.100.1:3306",
        "app-dc1-1": "database 198.51.100.1:3306 to 198.51.100.1:3307",
      },
    ],
    [
      "the internal VIP",
      vip,
      balancers + databases + apps + balancers + databases + 1 + apps,
      {
        "lb-dc1": "the database also at 198.51.100.1:3306, 198.51.100.1 also a gateway",
        "db-dc1": "gateway 198.51.100.1 to 198.51.100.2",
        "app-dc1-1": "gateway 198.51.100.1 to 198.51.100.2, database 198.51.100.1:3306 to 198.51.100.2:3306",
      },
    ],
    ["all router ids", ids, balancers + balancers, { "lb-dc1": "INTERN as before" }],
    ["another primary VIP", primary, balancers, {}],
  ] as const) {
    test(`${title}: in one run, there and back`, () => {
      const world = new World(planned(BUILT));
      const { moves } = world.change(planned(setting));
      for (const [id, said] of Object.entries(words)) assert.equal(moves[id]?.words, said);
      assert.equal(
        Object.keys(moves).filter((id) => id.endsWith("dc1") || id.endsWith("dc1-1")).length,
        Object.keys(words).length,
      );
      for (const each of [setting, BUILT, setting]) {
        assert.equal(world.up(each), steps);
        world.settledOn(each);
        assert.equal(world.up(each), 0);
      }
    });
  }

  everywhere("all of it at once", all, {
    onwards: all,
    back: BUILT,
    elsewhere: { ...all, databasePort: 3308, routerIds: { ipv4: 71, ipv6: 62, internal: 73 } },
  });
});

/** Wherever a run ends or is killed, and wherever the next one goes. */
function everywhere(what: string, to: Setting, ways: Record<string, Setting>): void {
  for (const [way, next] of Object.entries(ways)) {
    test(`${what}: wherever a run ends or is killed, the next one goes ${way}, and somebody answers all along`, () => {
      for (const killed of [undefined, "late", "early"] as const) {
        const whole = new World(planned(BUILT)).up(to)!;
        for (let steps = 1; steps <= whole; steps++) {
          const world = new World(planned(BUILT));
          world.up(to, { steps, ...(killed && { killed }) });
          converges(world, next, `${killed ?? "ended"} in step ${steps}`);
        }
      }
    });
  }
}

test("however often runs end early, and whichever file they go on with", () => {
  const setting = fc.record({
    port: fc.constantFrom(8080, 9000),
    databasePort: fc.constantFrom(3306, 3307, 3308),
    internalVip: fc.constantFrom("198.51.100.1", "198.51.100.2", "198.51.100.3"),
    routerIds: fc.record({
      ipv4: fc.constantFrom(51, 61, 71),
      ipv6: fc.constantFrom(52, 62, 72),
      internal: fc.constantFrom(53, 63, 73),
    }),
    primary: fc.constantFrom("www" as const, "api" as const),
  });
  const ended = fc.record({ setting, steps: fc.integer({ min: 1, max: 24 }) });
  fc.assert(
    fc.property(fc.array(ended, { minLength: 1, maxLength: 4 }), setting, (runs, last) => {
      const world = new World(planned(BUILT));
      let before = BUILT;
      for (const { setting: next, steps } of runs) if (world.up(next, { steps }) !== undefined) before = next;
      // What is refused names the way: the file of the run that was cut.
      if (world.up(last) === undefined) converges(world, before, "with the file of before");
      converges(world, last, "at last");
    }),
    { numRuns: 60 },
  );
});

function converges(world: World, setting: Setting, when: string): void {
  assert.notEqual(world.up(setting), undefined, `${when}: not refused`);
  world.settledOn(setting);
  assert.equal(world.up(setting), 0, `${when}: nothing is left to do`);
}
