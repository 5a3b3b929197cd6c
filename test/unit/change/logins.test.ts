import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { changeOf } from "../../../change/change";
import { deployed, type Resource } from "../../../change/deployed";
import { standingOf } from "../../../change/standing";
import { bundlesOf } from "../../../change/files";
import type { Login } from "../../../change/logins";
import { words } from "../../../change/words";
import { validate } from "../../../config/validate";
import { plan } from "../../../plan/plan";
import { found } from "../../support/changes";
import { dualStack, type Raw, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

type State = (all: Resource[]) => Resource[];

const as = (user: string): Raw => dualStack({ ssh: { user, allowedFrom: ["192.0.2.0/24"] } });

/** What is to be done to each server that was built with user debian, when the file says another one. */
function logins(now: Raw, ...states: State[]): Record<string, Login> {
  const resources = states.reduce((all, state) => state(all), stateOf(plan(specOf(as("debian")))));
  return changeOf(plan(specOf(now)), deployed(resources)).logins;
}

/** One that the run before came as far as to push to. */
const pushedAs =
  (id: string, user: string): State =>
  (all) =>
    all.map((each) =>
      each.urn.endsWith(`::${id}-scripts`)
        ? { ...each, inputs: { ...each.inputs, create: `sudo -n sh # as ${user}` } }
        : each,
    );

const letIn =
  (id: string, said: string): State =>
  (all) => [
    ...all,
    {
      urn: `urn:pulumi:dev::ha-cluster::x$command:remote:Command::${id}-login`,
      type: "command:remote:Command",
      inputs: { create: `sudo -n timeout -k 10 60 sh -s -- ops 'ssh-ed25519 AAAA x' # ${said}` },
    },
  ];

const without =
  (...names: string[]): State =>
  (all) =>
    all.filter(({ urn }) => !names.some((name) => urn.endsWith(`::${name}`)));

const machine =
  (id: string, changed: Partial<Resource>): State =>
  (all) =>
    all.map((each) => (each.urn.endsWith(`Instance::${id}`) ? { ...each, ...changed } : each));

/** A release that did not write down who logs in. */
const silent: State = (all) => [
  ...all.map((each) => {
    const { metadata, create, ...inputs } = each.inputs ?? {};
    return metadata === undefined && create === undefined ? each : { ...each, inputs };
  }),
  {
    urn: "urn:pulumi:dev::ha-cluster::pulumi:pulumi:Stack::ha-cluster-dev",
    type: "pulumi:pulumi:Stack",
    outputs: { ssh: { "lb-dc1": "ssh debian@203.0.113.11" } },
  },
];

describe("another user", () => {
  test("is let in by every server that runs, by the one that could", () => {
    const all = logins(as("ops"));
    assert.equal(Object.keys(all).length, 9);
    for (const each of Object.values(all))
      assert.deepEqual(each, { by: "debian", words: "debian lets ops in", due: true });
    assert.deepEqual(found({ now: as("ops"), before: as("debian") }), []);
  });

  test("needs nothing where nothing changed", () => assert.deepEqual(logins(as("debian")), {}));

  test("after a cut, is let in by the servers that it did not get to, whatever the outputs say", () => {
    const cut = [
      letIn("lb-dc3", "debian lets ops in"),
      letIn("db-dc3", "debian lets ops in"),
      pushedAs("lb-dc3", "ops"),
    ];
    const onwards = logins(as("ops"), ...cut);
    // Told, and done with.
    assert.deepEqual(onwards["lb-dc3"], { by: "ops", words: "debian lets ops in", due: false });
    // Told, and not pushed to yet: once more does no harm.
    assert.deepEqual(onwards["db-dc3"], { by: "debian", words: "debian lets ops in, again", due: true });
    assert.deepEqual(onwards["lb-dc1"], { by: "debian", words: "debian lets ops in", due: true });

    const back = logins(as("debian"), ...cut);
    assert.deepEqual(back["lb-dc3"], { by: "ops", words: "ops lets debian in", due: true });
    assert.deepEqual(back["db-dc3"], { by: "debian", words: "debian lets ops in", due: false });
    assert.equal(back["lb-dc1"], undefined);
  });

  test("is let in by a machine that was made anew with the user of its first day", () => {
    const states = [pushedAs("lb-dc1", "ops"), machine("lb-dc1", { id: "another" })];
    assert.deepEqual(logins(as("ops"), ...states)["lb-dc1"], { by: "debian", words: "debian lets ops in", due: true });
  });

  test("is let in by a machine that was made, and never pushed to", () => {
    const states = [without("app-dc1-1-scripts", "app-dc1-1-config")];
    assert.equal(logins(as("ops"), ...states)["app-dc1-1"]!.by, "debian");
  });

  test("is read beside what the scripts were pushed after", () => {
    const cut = pushedAs(
      "lb-dc1",
      "ops",
    )(stateOf(plan(specOf(as("debian"))))).map((each) => {
      const create = each.inputs?.["create"];
      return each.urn.endsWith("::lb-dc1-scripts") && typeof create === "string"
        ? { ...each, inputs: { ...each.inputs, create: create.replace(" # as", " # after: rollout 7 was cut # as") } }
        : each;
    });
    const { servers, othersAfter } = deployed(cut);
    assert.equal(servers.find(({ id }) => id === "lb-dc1")!.user, "ops");
    assert.equal(othersAfter.scripts["lb-dc1"], "rollout 7 was cut");
    assert.equal(othersAfter.scripts["lb-dc2"], undefined);
  });

  test("root lets in, and is let in", () => {
    assert.equal(logins(as("root"))["lb-dc1"]!.words, "debian lets root in");
    const root: State = (all) =>
      pushedAs(
        "lb-dc1",
        "root",
      )(all).map((each) =>
        each.urn.endsWith("::lb-dc1-scripts") ? { ...each, inputs: { ...each.inputs, create: "sh # as root" } } : each,
      );
    assert.equal(logins(as("debian"), root)["lb-dc1"]!.words, "root lets debian in");
  });

  test("is refused while the servers don't say who can log in", () => {
    const [problem, ...others] = found({ now: as("ops"), before: as("debian"), state: silent });
    assert.deepEqual([problem?.path, others], ["ssh.user", []]);
    assert.match(problem!.cause, /is ops, but debian alone can log in to `app-dc1-1`, .* older release$/);
    assert.match(problem!.mend, /first `pulumi up` with debian; then change it/);
    assert.deepEqual(found({ now: as("debian"), before: as("debian"), state: silent }), []);
  });

  test("in words", () => {
    const standing = deployed(stateOf(plan(specOf(as("debian")))));
    const planned = plan(validate(as("ops"), "dev", standingOf(standing)).spec!);
    const lines = words(changeOf(planned, standing), standing, bundlesOf(planned, "sample"));
    assert.equal(lines[0], "dc1  app-dc1-1: debian lets ops in; nothing stops");
    assert.equal(lines.length, 10);
    assert.equal(lines.at(-1), "customers: nothing");
  });
});
