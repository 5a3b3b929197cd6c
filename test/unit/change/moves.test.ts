import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BUILT, planned, type Setting } from "../../support/setting";
import { type Cut, World } from "../../support/world";

const onPort = (port: number): Setting => ({ ...BUILT, port });

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
  const networks: Setting = { ...BUILT, network4: "203.0.113.0", network6: "2001:db8:46" };
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
    [
      "another IPv6 prefix",
      { ...BUILT, network6: "2001:db8:46" },
      balancers + balancers + balancers,
      { "lb-dc1": "2001:db8:45:b::1 as well" },
    ],
    [
      "another external IPv4 network",
      { ...BUILT, network4: "203.0.113.0" },
      balancers + balancers + balancers,
      { "lb-dc1": "203.0.113.139 as well" },
    ],
    [
      "other addresses for load balancers in the same networks",
      { ...BUILT, given: 20 },
      balancers + balancers + balancers,
      { "lb-dc1": "203.0.113.139 and 2001:db8:45:b::1 as well" },
    ],
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
  everywhere("both external networks", networks, {
    onwards: networks,
    back: BUILT,
    elsewhere: { ...networks, network6: "2001:db8:47" },
    "with the router ids": { ...networks, ...ids, network4: "203.0.113.0", network6: "2001:db8:47" },
  });
  const given: Setting = { ...BUILT, given: 20 };
  everywhere("other places in both", given, {
    back: BUILT,
    elsewhere: { ...given, given: 30, network6: "2001:db8:46" },
  });
});

describe("the scripts of another release", () => {
  const newer: Setting = { ...BUILT, release: 2 };

  test("come before the files of the same machine, to each once", () => {
    const world = new World(planned(BUILT));
    for (const each of [newer, BUILT]) {
      assert.equal(world.up(each), 3 + 3 + 3);
      world.settledOn(each);
      assert.equal(world.up(each), 0);
    }
  });

  everywhere("an upgrade", newer, { onwards: newer, back: BUILT });
  everywhere("an upgrade with another port", { ...onPort(9000), release: 2 }, { back: BUILT });
});

/** Wherever a run ends or is cut, and wherever the next one goes. */
function everywhere(what: string, to: Setting, ways: Record<string, Setting>): void {
  for (const [way, next] of Object.entries(ways)) {
    test(`${what}: wherever a run ends or is cut, the next one goes ${way}, and somebody answers all along`, () => {
      for (const cut of [undefined, "late", "early"] as const) {
        const whole = new World(planned(BUILT)).up(to)!;
        for (let steps = 1; steps <= whole; steps++) {
          const world = new World(planned(BUILT));
          world.up(to, { steps, ...(cut && { cut }) });
          converges(world, next, `${cut ?? "ended"} in step ${steps}`);
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
    network4: fc.constantFrom("203.0.113.128" as const, "203.0.113.0" as const),
    network6: fc.constantFrom("2001:db8:45" as const, "2001:db8:46" as const, "2001:db8:47" as const),
    given: fc.constantFrom(undefined, 20, 30),
    release: fc.constantFrom(1, 2, 3),
  });
  const cut = fc.constantFrom<Cut | undefined>(undefined, "late", "early");
  const ended = fc.record({ setting, steps: fc.integer({ min: 1, max: 33 }), cut });
  fc.assert(
    fc.property(fc.array(ended, { minLength: 1, maxLength: 4 }), setting, (runs, last) => {
      const world = new World(planned(BUILT));
      let before = BUILT;
      for (const { setting: next, steps, cut } of runs)
        if (world.up(next, { steps, ...(cut && { cut }) }) !== undefined) before = next;
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
