import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { afterOf } from "../../../change/after";
import { changeOf } from "../../../change/change";
import { deployed, type Pending, type Resource } from "../../../change/deployed";
import { bundlesOf } from "../../../change/files";
import { begin, type Begun } from "../../../change/rollout";
import type * as pulumi from "@pulumi/pulumi";
import { inTurn } from "../../../components/turns";
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
  return Object.entries(bundlesOf(planned, "")).flatMap(([id, stdin]) =>
    ["scripts", "adoption", "secrets", "config"].map((what) => ({
      urn: `urn:pulumi:dev::ha-cluster::x::${id}-${what}`,
      type: "command:remote:Command",
      inputs: { create: what === "scripts" ? "sh # as debian" : "push", ...(what === "config" && { stdin }) },
    })),
  );
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
      const { adoption, ...others } = change.othersAfter;
      for (const after of [change.after, ...Object.values(others), ...(planned === HOSTS ? [adoption] : [])])
        assert.deepEqual(after, Object.fromEntries(ids.map((id) => [id, "rollout 7 was cut"])));
      assert.match(
        words(change, cut, bundlesOf(planned, "sample")).join("\n"),
        /^rollout 7 was cut: everybody is pushed/,
      );

      const mended = state.map((each) => {
        const create = each.urn.endsWith("-scripts")
          ? "sh # after: rollout 7 was cut # as debian"
          : "push # after: rollout 7 was cut";
        return each.type.startsWith("command:") ? { ...each, inputs: { ...each.inputs, create } } : each;
      });
      const through = deployed([...mended, ...noted({ ...NOTHING, number: 8 }, 8)]);
      const next = changeOf(planned, through);
      assert.deepEqual([next.after, next.othersAfter], [change.after, change.othersAfter]);
      assert.deepEqual(
        words(next, through, bundlesOf(planned, "")).filter((line) => line.includes("rollout")),
        [],
      );
    });
  }

  test("has also the scripts pushed anew of a server that it left unfinished", () => {
    const state = stateOf(BUILT).filter(({ urn }) => !urn.endsWith("::app-dc1-1-config"));
    const change = changeOf(BUILT, deployed([...state, ...noted(NOTHING, 6)]));
    assert.deepEqual(
      change.unfinished.map(({ planned: { id } }) => id),
      ["app-dc1-1"],
    );
    assert.equal(change.othersAfter.scripts["app-dc1-1"], "rollout 7 was cut");
    assert.equal(change.after["app-dc1-1"], undefined);
  });

  test("may mean a moment without a server, whatever else is changed", () => {
    const now = plan(specOf(dualStack({ ssh: { allowedFrom: ["203.0.113.0/24"] } })));
    const told = (ended: number): string => {
      const standing = deployed([...stateOf(BUILT), ...noted(NOTHING, ended)]);
      return words(changeOf(now, standing), standing, bundlesOf(now, "sample")).at(-1)!;
    };
    assert.equal(told(7), "customers: nothing");
    assert.equal(told(6), "customers: nothing, unless a server is found with other files");
  });

  test("is told in other words each time, or Pulumi would not run the push", () => {
    assert.equal(afterOf("leaves", ["leaves"], true, { number: 7, ended: true }), "leaves; again");
    assert.equal(afterOf("leaves", ["leaves"], false, { number: 7, ended: true }), "leaves");
    assert.equal(afterOf("leaves", ["leaves"], false, { number: 7, ended: false }), "leaves; rollout 7 was cut");
  });

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

  test("that went back has its last pushes in doubt as well, also where they carry what the state has", () => {
    const built = stateOf(BUILT);
    const move = changeOf(CHANGED, deployed(built)).moves["app-dc1-1"]!;
    const between = built
      .filter(({ urn }) => urn.endsWith("::app-dc1-1-config"))
      .map((each) => ({
        ...each,
        urn: each.urn.replace("-config", "-between"),
        inputs: { create: `push # ${move.words}`, stdin: "between" },
      }));
    const half = deployed([...built, ...between, ...noted(NOTHING, 6)]);
    const change = changeOf(BUILT, half);
    const { steps, ...begun } = begin(BUILT, change, half, "sample");
    const last = steps.filter(({ id, between: words }) => id === "app-dc1-1" && words === undefined);
    const [text] = [bundlesOf(BUILT, "sample")["app-dc1-1"]!];
    assert.deepEqual(
      last.map((step) => [step.text, step.after]),
      [[text, change.after["app-dc1-1"]]],
    );
    const cut = deployed([...built, ...between, ...noted({ ...begun, steps: last }, 7)]);
    assert.deepEqual(cut.rollout.brings["app-dc1-1"], [text]);
  });

  test("is noted in the order in which servers are changed", () => {
    for (const away of ["dc1", "dc2", "dc3", "lost"]) {
      const lost = (urn: string): boolean => urn.endsWith("::lb-dc3") || urn.includes("::lb-dc3-");
      const state = [
        ...stateOf(BUILT).filter(({ urn }) => away !== "lost" || !lost(urn)),
        ...(away === "lost" ? [] : ["lb", "db"]).map((kind) => ({
          urn: `urn:pulumi:dev::ha-cluster::x$command:remote:Command::${kind}-${away}-farewell`,
          type: "command:remote:Command",
          inputs: { create: "farewell.sh # leaves" },
        })),
      ];
      const standing = deployed(state);
      const now = plan(specOf(dualStack({ nameservers: ["203.0.113.9"] })));
      const change = changeOf(now, standing);
      const order: string[] = [];
      const made = (node: { id: string }): { done: pulumi.Resource } => {
        order.push(node.id);
        return { done: node.id as unknown as pulumi.Resource };
      };
      inTurn(now, change, [], { pause: (gate) => gate, balancer: made, database: made, app: made });
      const { steps, made: newcomers } = begin(now, change, standing, "sample");
      assert.deepEqual(
        steps.map(({ id }) => id),
        order.filter((id) => !newcomers.includes(id)),
      );
    }
  });

  test("is forgotten when one has come to its end", () => {
    const standing = deployed([...stateOf(BUILT), ...noted({ ...NOTHING, left: { "lb-dc1": ["one"] } }, 7)]);
    assert.deepEqual(begin(BUILT, changeOf(BUILT, standing), standing, "sample").left, {});
  });

  test("that is cut again at the same place notes nothing twice", () => {
    let state = [...stateOf(BUILT), ...noted(NOTHING, 7)];
    const sizes = [1, 2, 3].map(() => {
      const standing = deployed(state);
      const begun = begin(CHANGED, changeOf(CHANGED, standing), standing, "sample");
      state = [...stateOf(BUILT), ...noted(begun, 7)];
      return Object.values(deployed(state).rollout.brings).flat().length;
    });
    assert.deepEqual(sizes, [1, 1, 1]);
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
