import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Change, changeOf, type Cloud, everyServer, UNASKED } from "../../../change/change";
import { deployed, type Resource } from "../../../change/deployed";
import { bundlesOf } from "../../../change/files";
import { refusals } from "../../../change/refuse";
import type { Rooms } from "../../../change/route";
import { words } from "../../../change/words";
import { plan } from "../../../plan/plan";
import { SECRETS } from "../../support/changes";
import { dualStack, type Raw, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

const NEWER = "debian-12-next";
const ALL = everyServer(plan(specOf(dualStack()))).map(({ id }) => id);

/** What Glance says where `debian-12` is a newer build than the one that servers were made of. */
const REBUILT: Cloud = { images: { "debian-12": "id-of-a-newer-build" }, zones: {} };

function look(now: Raw, cloud: Cloud = UNASKED, state: (all: Resource[]) => Resource[] = (all) => all) {
  const standing = deployed(state(stateOf(plan(specOf(dualStack())))));
  const spec = specOf(now);
  const planned = plan(spec);
  const intent = { mayDelete: [], mayReplace: spec.mayReplace, mayRepair: [] };
  const change = changeOf(planned, standing, intent, cloud);
  return { planned, standing, change, problems: refusals(planned, intent, SECRETS, standing, change, cloud) };
}

function ids(change: Pick<Change, "replaced">): string[] {
  return change.replaced.map(({ planned }) => planned.id);
}

const moved = (zones: Record<string, string>, mayReplace: string[]): Raw =>
  dualStack({
    datacenters: Object.fromEntries(
      ["dc1", "dc2", "dc3"].map((name) => [name, zones[name] === undefined ? {} : { availabilityZone: zones[name] }]),
    ),
    mayReplace,
  });

/** Nova knows servers where the state has them. */
const asStated = (change: Pick<Change, "kept">): Record<string, string> =>
  Object.fromEntries(change.kept.map(({ planned, standing }) => [planned.id, standing.zone]));

function refusedMoves(zones: Record<string, string>, mayReplace: string[]): Record<string, string> {
  const now = moved(zones, mayReplace);
  const cloud = { images: {}, zones: asStated(look(now).change) };
  return Object.fromEntries(look(now, cloud).problems.map(({ path, cause, mend }) => [path, `${cause} → ${mend}`]));
}

describe("another image", () => {
  test("is brought to those that the file names, and to nobody else", () => {
    fc.assert(
      fc.property(fc.subarray(ALL), fc.constantFrom("debian-12", NEWER), (named, image) => {
        const { change, problems } = look(dualStack({ image, mayReplace: named }));
        assert.deepEqual(ids(change).sort(), image === NEWER ? [...named].sort() : []);
        assert.deepEqual(Object.keys(change.farewells).sort(), ids(change).sort());
        assert.deepEqual(problems, []);
      }),
    );
  });

  test("may have the same name: Glance's ids tell", () => {
    const now = dualStack({ mayReplace: ["db-dc2"] });
    assert.deepEqual(ids(look(now, REBUILT).change), ["db-dc2"]);
    assert.deepEqual(ids(look(now, { images: { "debian-12": "id-of-debian-12" }, zones: {} }).change), []);
    assert.deepEqual(ids(look(dualStack(), REBUILT).change), []);
  });

  test("may be that of one kind alone", () => {
    const named = ["lb-dc1", "db-dc1", "app-dc1-1"];
    const only = (now: Raw): string[] => ids(look(dualStack({ ...now, mayReplace: named })).change);
    assert.deepEqual(only({ loadBalancers: { image: NEWER } }), ["lb-dc1"]);
    assert.deepEqual(only({ database: { image: NEWER } }), ["db-dc1"]);
    assert.deepEqual(only({ appServers: { app: { image: NEWER } } }), ["app-dc1-1"]);
    assert.deepEqual(only({ image: NEWER, database: { image: "debian-12" } }), ["lb-dc1", "app-dc1-1"]);
  });

  test("takes another flavor along: the old machine isn't resized before it goes", () => {
    const { change } = look(
      dualStack({ image: NEWER, mayReplace: ["lb-dc1"], loadBalancers: { flavor: "m1.medium" } }),
    );
    assert.deepEqual(ids(change), ["lb-dc1"]);
    assert.deepEqual(
      change.resized.map(({ planned }) => planned.id),
      ["lb-dc3", "lb-dc2"],
    );
    assert.equal(change.farewells["lb-dc1"], `image debian-12 (id-of-de) to ${NEWER}`);
  });

  test("is for servers that can say farewell, and not for the run in which a datacenter leaves", () => {
    const old = (all: Resource[]): Resource[] => all.filter(({ urn }) => !urn.endsWith("-scripts"));
    const { problems } = look(dualStack({ image: NEWER, mayReplace: ["lb-dc1"] }), UNASKED, old);
    assert.deepEqual(
      problems.map(({ path, mend }) => [path, mend]),
      [["mayReplace", "first `pulumi up` without this change; then make it"]],
    );
    const two = { datacenters: { dc1: {}, dc2: {} }, quorumRisk: { acceptedBy: "J. Doe", on: "2026-11-22" } };
    const both = look(dualStack({ ...two, mayReplace: ["lb-dc1"], image: NEWER })).problems;
    assert.ok(both.some(({ path, cause }) => path === "mayReplace" && /a datacenter leaves/.test(cause)));
  });

  test("is for another run than an application's other port", () => {
    const { problems } = look(dualStack({ image: NEWER, mayReplace: ["lb-dc1"], appServers: { app: { port: 8081 } } }));
    assert.deepEqual(
      problems.map(({ path, cause }) => [path, cause]),
      [["mayReplace", "would stop servers in the run in which others change together (app-dc3-1: port 8080 to 8081)"]],
    );
  });

  test("in words: who goes and why, and who stays as it is", () => {
    const { change, standing, planned } = look(dualStack({ image: NEWER, mayReplace: ["db-dc2", "app-dc1-1"] }));
    assert.deepEqual(words(change, standing, bundlesOf(planned, "sample")), [
      `dc1  app-dc1-1: DELETED and made anew, image debian-12 (id-of-de) to ${NEWER}; its requests are answered before, and it runs the release that its group runs; one server at a time`,
      `dc2  db-dc2: DELETED and made anew, image debian-12 (id-of-de) to ${NEWER}; only while the others are synced, and copies all data from one of them; one server at a time`,
      "image: lb-dc3, lb-dc2, lb-dc1, db-dc3, db-dc1, app-dc3-1, app-dc2-1 run on another image than the file says, and stay so until `mayReplace` names them",
      "customers: one server after the other is away for a moment, the others serve",
    ]);
    const kept = look(dualStack({ database: { image: NEWER } }));
    assert.deepEqual(words(kept.change, kept.standing, bundlesOf(kept.planned, "sample")), [
      "image: db-dc3, db-dc2, db-dc1 run on another image than the file says, and stay so until `mayReplace` names them",
    ]);
  });
});

describe("while a server is lost, or was never finished", () => {
  const without =
    (...patterns: RegExp[]) =>
    (all: Resource[]): Resource[] =>
      all.filter(({ urn }) => !patterns.some((each) => each.test(urn)));
  const lost = (id: string) => without(new RegExp(`Instance::${id}$`), new RegExp(`Command::${id}-`));
  const unfinished = (id: string) => without(new RegExp(`Command::${id}-config$`));
  const now = (more: Raw = {}): Raw => dualStack({ image: NEWER, mayReplace: ALL, ...more });

  test("nobody else is stopped, whoever it is", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ALL), fc.boolean(), (id, gone) => {
        const { change } = look(now({ database: { flavor: "m1.medium" } }), UNASKED, gone ? lost(id) : unfinished(id));
        assert.deepEqual([ids(change), change.resized, change.farewells], [[], [], {}]);
        assert.deepEqual(
          change.waiting.map(({ planned }) => planned.id).sort(),
          ALL.filter((each) => each !== id).sort(),
        );
        assert.deepEqual(change.needless, []);
      }),
    );
  });

  test("a server that is new for the first time keeps nobody waiting", () => {
    const { change } = look(
      dualStack({
        image: NEWER,
        mayReplace: ["lb-dc1"],
        appServers: { app: { perDatacenter: { dc1: 2, dc2: 1, dc3: 1 } } },
      }),
    );
    assert.deepEqual(ids(change), ["lb-dc1"]);
    assert.deepEqual(change.waiting, []);
  });

  test("in words: who is first, and what it is made of", () => {
    const told = (raw: Raw, state: (all: Resource[]) => Resource[]): string[] => {
      const { change, standing, planned } = look(raw, UNASKED, state);
      return words(change, standing, bundlesOf(planned, "sample"));
    };
    const lines = told(dualStack({ image: NEWER, mayReplace: ["lb-dc1"] }), unfinished("lb-dc3"));
    assert.ok(
      lines.includes(
        `dc1  lb-dc1: stays as it is for now (image debian-12 (id-of-de) to ${NEWER}): first lb-dc3, then \`pulumi up\` again`,
      ),
      lines.join("\n"),
    );
    assert.ok(
      lines.includes(`dc3  lb-dc3: made anew, image debian-12 (id-of-de) to ${NEWER}; it has served nobody yet`),
    );
    assert.ok(told(dualStack(), unfinished("lb-dc3")).includes("dc3  lb-dc3: finished; it has served nobody yet"));
  });

  test("it follows the file, unless only a newer build has come under the same name while it joins", () => {
    const remade = (raw: Raw, cloud: Cloud = UNASKED): string[] =>
      look(raw, cloud, unfinished("db-dc3")).change.remade.map(({ planned }) => planned.id);
    assert.deepEqual(remade(dualStack({ image: NEWER })), ["db-dc3"]);
    assert.deepEqual(remade(moved({ dc3: "dc4" }, [])), ["db-dc3"]);
    assert.deepEqual(remade(dualStack(), REBUILT), []);
    assert.deepEqual(remade(dualStack()), []);
    const renamed = { images: { [NEWER]: "id-of-debian-12" }, zones: {} };
    assert.deepEqual(remade(dualStack({ image: NEWER }), renamed), [], "the same image under another name");
  });
});

test("a line that has done its work is to be removed, in words", () => {
  const told = (now: Raw): string[] => {
    const { change, standing, planned } = look(now);
    return words(change, standing, bundlesOf(planned, "sample"));
  };
  assert.deepEqual(told(dualStack({ mayReplace: ["lb-dc1", "lb-dc2"] })), [
    "mayReplace: lb-dc2, lb-dc1 have what the file says; remove the line, or the next image of that name is brought there unasked",
  ]);
  const half = told(dualStack({ loadBalancers: { image: NEWER }, mayReplace: ["lb-dc1", "db-dc1"] }));
  assert.ok(half.some((line) => line.startsWith("mayReplace: db-dc1 has what the file says;")));
});

describe("another zone", () => {
  const dc3 = ["lb-dc3", "db-dc3", "app-dc3-1"];

  test("is a move of those that the file names, to a zone that is free", () => {
    assert.deepEqual(refusedMoves({ dc3: "dc4" }, dc3), {});
    const now = moved({ dc3: "dc4" }, dc3);
    const { change } = look(now, { images: {}, zones: asStated(look(now).change) });
    assert.deepEqual(ids(change), ["lb-dc3", "db-dc3", "app-dc3-1"]);
    assert.equal(change.farewells["lb-dc3"], "zone dc3 to dc4");
  });

  test("is refused while it names none, or not all that would have to move, and says whom", () => {
    for (const named of [[], ["lb-dc3"], ["lb-dc3", "db-dc3"]]) {
      const { "datacenters.dc3.availabilityZone": words, ...others } = refusedMoves({ dc3: "dc4" }, named);
      assert.match(words!, /runs in dc3: it would .*mayReplace: \[lb-dc3, db-dc3, app-dc3-1\]/, named.join());
      assert.deepEqual(others, {});
    }
  });

  test("is a name only, when Nova says that the servers stand there already", () => {
    const now = moved({ dc3: "ams-3" }, dc3);
    const zones = Object.fromEntries(dc3.map((id) => [id, "ams-3"]));
    const { change, problems } = look(now, { images: {}, zones });
    assert.deepEqual(ids(change), []);
    assert.deepEqual(change.farewells, {});
    assert.deepEqual(problems, []);
  });

  const both = ["lb-dc1", "db-dc1", "app-dc1-1", "lb-dc2", "db-dc2", "app-dc2-1"];

  function exchange(rooms: Rooms) {
    const now = moved({ dc1: "dc2", dc2: "dc1" }, both);
    return look(now, { images: {}, zones: asStated(look(now).change), rooms });
  }

  test("goes first to a zone that is free, and then to the one that is free by then", () => {
    const all = [...both, ...dc3];
    const now = moved({ dc1: "dc2", dc2: "dc3", dc3: "dc4" }, all);
    for (const zones of [
      { dc1: "dc2", dc2: "dc3", dc3: "dc4" },
      { dc1: "dc4", dc2: "dc1", dc3: "dc2" },
    ])
      assert.deepEqual(refusedMoves(zones, all), {});
    const { change, planned, standing } = look(now, { images: {}, zones: asStated(look(now).change) });
    assert.deepEqual(ids(change).slice(0, 6), ["lb-dc3", "lb-dc2", "lb-dc1", "db-dc3", "db-dc2", "db-dc1"]);
    assert.deepEqual(change.route.unasked, []);
    assert.ok(
      words(change, standing, bundlesOf(planned, "sample")).includes(
        "zones: lb-dc3 to dc4, then lb-dc2 to dc3, then lb-dc1 to dc2, then db-dc3 to dc4, then db-dc2 to dc3, then db-dc1 to dc2",
      ),
    );
  });

  test("is refused as an exchange where neither zone has room, with that reason", () => {
    const rooms = Object.fromEntries(
      ["load-balancer dc1", "load-balancer dc2", "database dc1", "database dc2"].map((each) => [each, false]),
    );
    const said = exchange(rooms).problems.map(({ path, cause, mend }) => `${path}: ${cause} → ${mend}`);
    assert.match(
      said[0]!,
      /^datacenters\.dc2\.availabilityZone: would move lb-dc2 to dc1 beside `lb-dc1`: .* Nova has room for no other one there → move by way of a zone that is free/,
    );
  });

  test("is an exchange where one zone has room, and the other one goes there first", () => {
    const { change, problems } = exchange({
      "load-balancer dc1": false,
      "load-balancer dc2": true,
      "database dc1": true,
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(ids(change), ["lb-dc1", "lb-dc2", "db-dc2", "db-dc1", "app-dc2-1", "app-dc1-1"]);
    assert.deepEqual(change.route.unasked, []);
  });

  test("has a preview say what `up` will ask, and asks one zone after the other until one has room", () => {
    const { change, problems, planned, standing } = exchange({});
    assert.deepEqual(problems, []);
    assert.equal(change.route.unasked.length, 2);
    const lines = words(change, standing, bundlesOf(planned, "sample"));
    assert.ok(lines.some((line) => /^zones: whether dc1 has room is asked by `pulumi up` itself, before/.test(line)));
    const next = exchange({ "load-balancer dc1": false, "database dc1": true }).change.route.unasked;
    assert.deepEqual(
      next.map(({ planned: { id, availabilityZone }, beside }) => [id, availabilityZone, beside]),
      [["lb-dc1", "dc2", ["lb-dc2"]]],
    );
  });

  test("never has more of a kind in one zone than it has room for, whatever the order, and goes where there is a way", () => {
    const zone = fc.constantFrom("dc1", "dc2", "dc3", "dc4", "dc5");
    const second = fc.subarray(["dc1", "dc2", "dc3"]);
    fc.assert(
      fc.property(fc.uniqueArray(zone, { minLength: 3, maxLength: 3 }), second, ([a, b, c], wide) => {
        const wanted: Record<string, string> = { dc1: a!, dc2: b!, dc3: c! };
        const now = moved(wanted, ALL);
        const rooms = Object.fromEntries(
          ["dc1", "dc2", "dc3"].flatMap((each) =>
            ["load-balancer", "database"].map((role) => [`${role} ${each}`, wide.includes(each)]),
          ),
        );
        const { change, problems } = look(now, { images: {}, zones: asStated(look(now).change), rooms });
        // Who waits for each other in a circle needs room in one of its zones.
        const closed = Object.keys(wanted).filter((start) => {
          let at = wanted[start]!;
          const seen = [start, at];
          while (wanted[at] !== undefined && at !== start) {
            at = wanted[at]!;
            seen.push(at);
          }
          return at === start && wanted[start] !== start && !seen.some((each) => wide.includes(each));
        });
        assert.equal(problems.length > 0, closed.length > 0);
        if (problems.length > 0) return;
        const at = new Map(change.kept.map(({ planned, standing }) => [planned.id, standing.zone]));
        for (const { planned } of change.replaced.filter(({ planned: { role } }) => role !== "app-server")) {
          at.delete(planned.id);
          const there = [...at].filter(
            ([id, where]) => id.slice(0, 3) === planned.id.slice(0, 3) && where === planned.availabilityZone,
          );
          assert.ok(there.length <= (wide.includes(planned.availabilityZone) ? 1 : 0), planned.id);
          at.set(planned.id, planned.availabilityZone);
        }
      }),
    );
  });
});
