import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Cloud, UNASKED } from "../../../change/change";
import type { Resource } from "../../../change/deployed";
import { bundlesOf } from "../../../change/files";
import { words } from "../../../change/words";
import { ALL, ids, look, moved } from "../../support/replacements";
import { dualStack, type Raw } from "../../support/specs";

const NEWER = "debian-12-next";

/** What Glance says where `debian-12` is a newer build than the one that servers were made of. */
const REBUILT: Cloud = { images: { "debian-12": "id-of-a-newer-build" }, zones: {} };

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
