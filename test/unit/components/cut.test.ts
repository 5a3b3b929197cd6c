import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { changeOf } from "../../../change/change";
import { COMMAND, nameOf } from "../../../change/commands";
import { deployed, type Resource } from "../../../change/deployed";
import { begin, type Begun } from "../../../change/rollout";
import { readNodeFiles } from "../../../node/files";
import { plan, type Plan } from "../../../plan/plan";
import { ALL_SECRETS } from "../../support/changes";
import { dualStack, existing, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

const seen: Resource[] = [];

before(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      const given = inputs as Record<string, unknown>;
      seen.push({ urn: `urn:pulumi:dev::ha-cluster::x$${type}::${name}`, type, inputs: given });
      // As in stateOf: machines stay the same.
      return { id: `id-of-${name}`, state: { ...given, name } };
    },
    call: ({ token, inputs }) => ({ ...(inputs as object), id: token }),
  });
});

/** The Commands of one run, in their order, on what the state has. */
async function run(planned: Plan, state: Resource[]): Promise<Resource[]> {
  const standing = deployed(state);
  const nodeFiles = readNodeFiles();
  const change = changeOf(planned, standing);
  const { Cluster } = await import("../../../components/cluster");
  seen.length = 0;
  await pulumi.runtime.runInPulumiStack(() => {
    new Cluster("cluster", {
      plan: planned,
      nodeFiles,
      change,
      begun: begin(planned, change, standing, nodeFiles.sampleApp),
      mayDestroy: false,
      secrets: ALL_SECRETS,
    });
    return Promise.resolve({});
  });
  await pulumi.runtime.disconnect();
  return seen.filter(({ type }) => type === COMMAND);
}

function noted(number: number, ended: number): Resource[] {
  const begun: Begun = { number, left: {}, steps: [], made: [] };
  return Object.entries({ Cluster: begun, Protection: ended }).map(([name, rollout]) => ({
    urn: `urn:pulumi:dev::ha-cluster::x::${name}`,
    type: `ha-cluster:index:${name}`,
    outputs: { rollout },
  }));
}

const texts = (commands: Resource[]): Record<string, string> =>
  Object.fromEntries(commands.map((each) => [nameOf(each), String(each.inputs!["create"])]));

for (const [who, planned, machines, pushes] of [
  ["servers that we made", plan(specOf(dualStack())), stateOf(plan(specOf(dualStack()))), ["scripts", "secrets"]],
  ["hosts that somebody else built", plan(specOf(existing())), [], ["scripts", "adoption", "secrets"]],
] as const) {
  describe(`after a run that was cut, ${who}`, () => {
    const others = machines.filter(({ type }) => type !== COMMAND);
    let whole: Resource[], built: Resource[], cut: Resource[], through: Resource[];

    before(async () => {
      whole = await run(planned, [...others, ...noted(1, 1)]);
      const state = (commands: Resource[]): Resource[] => [...others, ...commands];
      built = await run(planned, [...state(whole), ...noted(1, 1)]);
      cut = await run(planned, [...state(built), ...noted(7, 6)]);
      through = await run(planned, [...state(cut), ...noted(8, 8)]);
    });

    test("everything is pushed to everybody once more, the files last", () => {
      const [before, now] = [texts(built), texts(cut)];
      assert.deepEqual(Object.keys(now).sort(), Object.keys(before).sort());
      const ids = Object.keys(now).flatMap((name) => /^(.*)-config$/.exec(name)?.[1] ?? []);
      assert.equal(ids.length, planned.loadBalancers.length + planned.databases.length + planned.appServers.length);
      for (const id of ids) {
        const names = [...pushes, "config"].map((what) => `${id}-${what}`);
        for (const name of names) {
          const said = name.endsWith("-scripts")
            ? / # after: rollout 7 was cut # as \w+$/
            : / # after: rollout 7 was cut$/;
          assert.match(now[name]!, said, name);
          assert.equal(now[name]!.replace(" # after: rollout 7 was cut", ""), before[name], "and nothing else of it");
        }
        assert.deepEqual(
          Object.keys(now).filter((name) => names.includes(name)),
          names,
        );
      }
    });

    test("without a cut there is nothing to do", () => {
      const pushed = ([name]: [string, string]): boolean => !name.endsWith("-founding");
      assert.deepEqual(Object.entries(texts(built)).filter(pushed), Object.entries(texts(whole)).filter(pushed));
      for (const [name, text] of Object.entries(texts(built))) assert.doesNotMatch(text, /# after/, name);
    });

    test("the next one has nothing to do", () => assert.deepEqual(texts(through), texts(cut)));
  });
}
