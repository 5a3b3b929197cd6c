import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { changeOf } from "../../../change/change";
import { deployed, type Pending, type Resource } from "../../../change/deployed";
import { bundlesOf } from "../../../change/files";
import { begin, type Begun } from "../../../change/rollout";
import { words } from "../../../change/words";
import { plan, type Plan } from "../../../plan/plan";
import { dualStack, existing, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

const BUILT = plan(specOf(dualStack()));
const CHANGED = plan(specOf(dualStack({ appServers: { app: { port: 9000 } } })));
const HOSTS = plan(specOf(existing()));

function noted(begun: Begun, ended: number): Resource[] {
  return Object.entries({ Cluster: begun, Protection: ended }).map(([name, rollout]) => ({
    urn: `urn:pulumi:dev::ha-cluster::x::${name}`,
    type: `ha-cluster:index:${name}`,
    outputs: { rollout },
  }));
}

const NOTHING: Begun = { number: 7, left: {}, steps: [], made: [] };

/** Of hosts that somebody else built the state has what was pushed to them, and no machine. */
function stateOfHosts(planned: Plan): Resource[] {
  return Object.entries(bundlesOf(planned, "")).map(([id, stdin]) => ({
    urn: `urn:pulumi:dev::ha-cluster::x::${id}-config`,
    type: "command:remote:Command",
    inputs: { create: "push", stdin },
  }));
}

describe("a run that did not come to its end", () => {
  for (const [who, planned, state] of [
    ["servers that we made", BUILT, stateOf(BUILT)],
    ["hosts that somebody else built", HOSTS, stateOfHosts(HOSTS)],
  ] as const) {
    test(`has the next one push to everybody once more, ${who}, and then no more`, () => {
      const ids = Object.keys(bundlesOf(planned, "sample"));
      const cut = deployed([...state, ...noted(NOTHING, 6)]);
      const change = changeOf(planned, cut);
      for (const after of [change.after, change.secretsAfter])
        assert.deepEqual(after, Object.fromEntries(ids.map((id) => [id, "rollout 7 was cut"])));
      assert.match(
        words(change, cut, bundlesOf(planned, "sample")).join("\n"),
        /^rollout 7 was cut: everybody is pushed/,
      );

      const mended = state.flatMap((each) => {
        if (!each.urn.endsWith("-config")) return [each];
        const create = "push # after: rollout 7 was cut";
        const secrets = { ...each, urn: each.urn.replace("-config", "-secrets"), inputs: { create } };
        return [{ ...each, inputs: { ...each.inputs, create } }, secrets];
      });
      const through = deployed([...mended, ...noted({ ...NOTHING, number: 8 }, 8)]);
      const next = changeOf(planned, through);
      assert.deepEqual([next.after, next.secretsAfter], [change.after, change.secretsAfter]);
      assert.deepEqual(
        words(next, through, bundlesOf(planned, "")).filter((line) => line.includes("rollout")),
        [],
      );
    });
  }

  test("may have brought what it had got to, and nothing that waits for that", () => {
    const standing = deployed([...stateOf(BUILT), ...noted(NOTHING, 7)]);
    assert.deepEqual(standing.rollout, { number: 7, ended: true, brings: {} });
    const begun = begin(CHANGED, changeOf(CHANGED, standing), standing, "sample");
    assert.equal(begun.number, 8);
    const first = begun.steps[0]!;
    const { rollout } = deployed([...stateOf(BUILT), ...noted(begun, 7)]);
    assert.deepEqual(rollout, { number: 8, ended: false, brings: { [first.id]: [first.text] } });
    assert.deepEqual(first.between, changeOf(CHANGED, standing).moves[first.id]!.words);
  });

  test("leaves what runs before it left, but on those that were pushed to since", () => {
    const left = { "lb-dc1": ["one"], "lb-dc2": ["two"], "db-dc1": ["three"] };
    const bundles = bundlesOf(BUILT, "sample");
    const steps: Begun["steps"] = [
      { id: "lb-dc2", chain: [1, "load-balancer"], text: bundles["lb-dc2"]! },
      { id: "lb-dc1", chain: [1, "load-balancer"], text: "four" },
      { id: "lb-dc3", chain: [1, "load-balancer"], text: "five" },
    ];
    const state = stateOf(BUILT).map((each) =>
      each.urn.endsWith("::db-dc1-config")
        ? { ...each, inputs: { ...each.inputs, create: "push # after: leaves; rollout 7 was cut" } }
        : each,
    );
    const { rollout } = deployed([...state, ...noted({ number: 8, left, steps, made: ["app-dc1-1", "app-dc9-1"] }, 7)]);
    assert.deepEqual(rollout.brings, { "lb-dc1": ["one", "four"], "app-dc9-1": [] });
  });

  test("of a release that noted nothing is what Pulumi says was begun", () => {
    const state = stateOf(BUILT);
    const pending = (name: string, type: string): Pending[] =>
      state.filter(({ urn }) => urn.endsWith(name)).map((resource) => ({ type, resource }));
    assert.deepEqual(deployed(state).rollout, { number: 0, ended: true, brings: {} });
    // It is there, and stays pending until a refresh.
    assert.equal(deployed(state, pending("::lb-dc1-config", "creating")).rollout.ended, true);
    const { rollout } = deployed(state, pending("::lb-dc1-config", "updating"));
    assert.deepEqual(rollout, {
      number: 0,
      ended: false,
      brings: { "lb-dc1": [bundlesOf(BUILT, "sample")["lb-dc1"]] },
    });
  });
});
