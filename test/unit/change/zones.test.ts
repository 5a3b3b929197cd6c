import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Change } from "../../../change/change";
import { bundlesOf } from "../../../change/files";
import type { Rooms } from "../../../change/route";
import { words } from "../../../change/words";
import { ALL, ids, look, moved } from "../../support/replacements";

/** Nova knows servers where the state has them. */
const asStated = (change: Pick<Change, "kept">): Record<string, string> =>
  Object.fromEntries(change.kept.map(({ planned, standing }) => [planned.id, standing.zone]));

function refusedMoves(zones: Record<string, string>, mayReplace: string[]): Record<string, string> {
  const now = moved(zones, mayReplace);
  const cloud = { images: {}, zones: asStated(look(now).change) };
  return Object.fromEntries(look(now, cloud).problems.map(({ path, cause, mend }) => [path, `${cause} → ${mend}`]));
}

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
