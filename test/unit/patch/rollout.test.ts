import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { hasWork, REBOOTS, type Facts, type Reboot } from "../../../patch/facts";
import { chosen, order, type Server } from "../../../patch/order";
import { type Hands, type Limits, type Outcome, rollout } from "../../../patch/rollout";
import type { Planned } from "../../../patch/words";

const NOTHING: Facts = { boot: "first", updates: [], held: [], half: [], stale: [], reboot: [] };
const UPDATE = { name: "libssl3", from: "1", to: "2", security: true };
const LIMITS: Limits = {
  ...{ lost: 0, reboot: 0, well: 0 },
  serve: { "load-balancer": 0, database: 0, "app-server": 0 },
};

function servers(datacenters: number): Server[] {
  return Array.from({ length: datacenters }, (_, index) => index + 1).flatMap((dc) => [
    { name: `acme-lb-dc${dc}`, id: `lb-dc${dc}`, role: "load-balancer" as const },
    { name: `acme-db-dc${dc}`, id: `db-dc${dc}`, role: "database" as const },
    { name: `acme-app-dc${dc}-1`, id: `app-dc${dc}-1`, role: "app-server" as const },
  ]);
}

const three = (facts: Partial<Facts> = { updates: [UPDATE] }): Planned[] =>
  servers(3).map((server) => ({ ...server, facts: { ...NOTHING, ...facts } }));

/** A cluster in which all goes well, and what was done to it. */
class Fake {
  readonly log: string[] = [];
  active: string | undefined = "acme-lb-dc1";
  readonly boots = new Map<string, string>();
  readonly ended = new Map<string, number>();
  problems: string[] = [];
  on: (server: Planned) => Partial<{ code: number; stdout: string; stderr: string }> = () => ({});
  away = new Map<string, string>();

  readonly hands: Hands = {
    health: () =>
      Promise.resolve({ problems: this.problems, ...(this.active === undefined ? {} : { active: this.active }) }),
    run: (server, when) => {
      this.log.push(`${server.id} ${when}`);
      return Promise.resolve({ code: 0, stdout: "", stderr: "", ...this.on(server) });
    },
    state: ({ name }) => {
      const ended = this.ended.get(name);
      return Promise.resolve({ boot: this.boots.get(name) ?? "first", ...(ended === undefined ? {} : { ended }) });
    },
    serves: ({ name }) => Promise.resolve(this.away.get(name)),
    say: () => undefined,
  };

  async roll(planned: Planned[], when: Reboot = "needed", signal = new AbortController().signal): Promise<Outcome> {
    return rollout(planned, when, await this.hands.health(), this.hands, signal, LIMITS);
  }

  turns(): string[] {
    return this.log.map((line) => line.split(" ")[0]!);
  }
}

describe("the order", () => {
  test("load balancers, databases, applications; datacenters in turn; the active one last of its kind", () => {
    const ids = order(servers(3), "acme-lb-dc3").map(({ id }) => id);
    assert.deepEqual(ids, [
      ...["lb-dc2", "lb-dc1", "lb-dc3", "db-dc3", "db-dc2", "db-dc1"],
      ...["app-dc3-1", "app-dc2-1", "app-dc1-1"],
    ]);
  });

  test("whatever moves meanwhile, each has one turn, roles are kept apart, and VIPs leave nobody who could wait", async () => {
    const balancers = ["acme-lb-dc1", "acme-lb-dc2", "acme-lb-dc3", undefined];
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }).chain((count) => fc.shuffledSubarray(servers(count))),
        fc.infiniteStream(fc.constantFrom(...balancers)),
        async (some, masters) => {
          const fake = new Fake();
          fake.on = ({ name, role, id }) => {
            const waiting = some.filter((each) => each.role === role && !fake.turns().includes(each.id));
            if (role === "load-balancer" && waiting.length > 0) assert.notEqual(name, fake.active, id);
            fake.active = masters.next().value as string | undefined;
            return {};
          };
          const planned = some.map((server) => ({ ...server, facts: { ...NOTHING, updates: [UPDATE] } }));
          const outcome = await fake.roll(planned);
          assert.equal(outcome.stopped, undefined);
          assert.deepEqual([...fake.turns()].sort(), some.map(({ id }) => id).sort());
          const ranks = fake.turns().map((id) => ["lb", "db", "app"].indexOf(id.split("-")[0]!));
          assert.deepEqual(ranks, [...ranks].sort());
        },
      ),
    );
  });

  test("servers are chosen by name or id; one that is not there is named", () => {
    const ids = (only: string[]): unknown => {
      const some = chosen(servers(2), only);
      return typeof some === "string" ? some : some.map(({ id }) => id);
    };
    assert.deepEqual(ids(["lb-dc2", "acme-db-dc1"]), ["db-dc1", "lb-dc2"]);
    assert.match(ids(["lb-dc9"]) as string, /there is no server lb-dc9; there are acme-lb-dc1, /);
  });
});

describe("what is done to whom", () => {
  const reason = ["kernel 1 runs, 2 is installed"];
  for (const { what, facts, works } of [
    { what: "nothing", facts: {}, works: ["always"] },
    { what: "an update", facts: { updates: [UPDATE] }, works: ["needed", "always", "never"] },
    { what: "a package that was left half-way", facts: { half: ["haproxy"] }, works: ["needed", "always", "never"] },
    { what: "a daemon on replaced files", facts: { stale: ["haproxy"] }, works: ["needed", "always", "never"] },
    { what: "a reboot that is due", facts: { reboot: reason }, works: ["needed", "always"] },
    {
      what: "only what is held",
      facts: { held: [{ name: "haproxy", installed: "1", candidate: "2", why: "" }] },
      works: ["always"],
    },
  ] as { what: string; facts: Partial<Facts>; works: Reboot[] }[]) {
    test(`${what}: work with --reboot ${works.join(", ")}`, () => {
      assert.deepEqual(
        REBOOTS.filter((when) => hasWork({ ...NOTHING, ...facts }, when)),
        works,
      );
    });
  }

  test("one without work says no farewell", async () => {
    const fake = new Fake();
    const planned = three({}).map((each) =>
      each.id === "db-dc2" ? { ...each, facts: { ...NOTHING, updates: [UPDATE] } } : each,
    );
    const { done, alone } = await fake.roll(planned);
    assert.deepEqual(fake.log, ["db-dc2 needed"]);
    assert.deepEqual(done, ["acme-db-dc2"]);
    assert.equal(alone.length, 8);
  });
});

describe("what stops it", () => {
  test("a cluster that is not well: nobody is touched", async () => {
    const fake = new Fake();
    fake.problems = ["acme-db-dc2 MariaDB: MariaDB does not answer; expected: answers"];
    const { stopped, left } = await fake.roll(three());
    assert.deepEqual(fake.log, []);
    assert.equal(left.length, 9);
    assert.match(stopped!.why, /acme-db-dc2 MariaDB/);
    assert.equal(stopped!.server, undefined);
  });

  test("wherever it fails, and however, it is the last one that was touched, and the outcome names it", async () => {
    const ids = order(servers(3), "acme-lb-dc1").map(({ id }) => id);
    const ways: ((fake: Fake, server: Planned) => ReturnType<Fake["on"]>)[] = [
      () => ({ code: 1, stderr: "the updates failed" }),
      (fake, { name }) => {
        fake.away.set(name, "the updates failed: haproxy does not start");
        return { code: 0 };
      },
      (fake) => {
        fake.problems = ["the updates failed in acme-lb-dc9's eyes"];
        return {};
      },
      // It never comes back.
      () => ({ code: 255, stdout: "reboots now: the updates failed\n" }),
      (fake, { name }) => {
        fake.ended.set(name, 1);
        return { code: 255, stderr: "the updates failed" };
      },
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ids), fc.constantFrom(...ways), async (fails, way) => {
        const fake = new Fake();
        fake.on = (server) => (server.id === fails ? way(fake, server) : {});
        const { done, left, stopped } = await fake.roll(three());
        assert.deepEqual(fake.turns(), ids.slice(0, ids.indexOf(fails) + 1));
        assert.equal(stopped?.server, `acme-${fails}`);
        assert.equal(done.length, ids.indexOf(fails));
        assert.deepEqual(
          [...left].sort(),
          ids
            .slice(ids.indexOf(fails) + 1)
            .map((id) => `acme-${id}`)
            .sort(),
        );
      }),
    );
  });

  test("whether the one that failed serves is told", async () => {
    const fake = new Fake();
    fake.on = () => ({ code: 1, stderr: "cannot upgrade" });
    assert.deepEqual((await fake.roll(three())).stopped, {
      ...{ why: "cannot upgrade", server: "acme-lb-dc3", serves: true },
    });
    fake.away.set("acme-lb-dc3", "haproxy does not listen");
    const { stopped } = await fake.roll(three());
    assert.equal(stopped!.serves, false);
    assert.match(stopped!.why, /cannot upgrade\nit does not serve: haproxy does not listen/);
  });

  test("a person: the server in hand comes to its end, the next is left alone", async () => {
    const fake = new Fake();
    const interruption = new AbortController();
    fake.on = () => (interruption.abort(), {});
    const { done, left, stopped } = await fake.roll(three(), "needed", interruption.signal);
    assert.deepEqual([done.length, left.length, fake.log.length], [1, 8, 1]);
    assert.equal(stopped!.server, undefined);
  });
});

describe("a connection that is lost", () => {
  test("says nothing of how it went: the machine does", async () => {
    const fake = new Fake();
    fake.on = ({ name }) => (fake.ended.set(name, 0), { code: 255 });
    assert.equal((await fake.roll(three())).stopped, undefined);
  });

  test("by a reboot whose announcement was lost as well is a reboot", async () => {
    const fake = new Fake();
    fake.on = ({ name }) => (fake.boots.set(name, "second"), { code: 255 });
    assert.equal((await fake.roll(three())).stopped, undefined);
  });

  test("and an end that was never heard of stops it", async () => {
    const fake = new Fake();
    fake.on = () => ({ code: 255 });
    assert.match((await fake.roll(three())).stopped!.why, /waited 0 s for acme-lb-dc3 to say how it went/);
  });
});

test("a reboot is over when the machine has booted anew, and not while the old boot answers", async () => {
  const fake = new Fake();
  fake.on = () => ({ code: 0, stdout: "reboots now: asked for\n" });
  assert.match(
    (await fake.roll(three(), "always")).stopped!.why,
    /waited 0 s for acme-lb-dc3 to be back from its reboot/,
  );
  fake.on = ({ name }) => (fake.boots.set(name, "second"), { code: 0, stdout: "x\nreboots now: asked for\n" });
  assert.equal((await fake.roll(three(), "always")).done.length, 9);
});
