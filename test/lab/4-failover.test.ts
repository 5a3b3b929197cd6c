import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type LabSetting, labSetting } from "../../harness/setting";
import { faultByName } from "../../operate/faults";
import { conduct } from "../../operate/measure/conduct";
import { judge } from "../../operate/measure/judge";
import { promises } from "../../operate/measure/promises";
import { until } from "../../operate/poll";
import type { Stack } from "../../operate/stack";
import { failuresOf } from "../../operate/traffic/summary";
import { cluster, lab, NAME, open, stackFile } from "./support";
import { temporaryFolder } from "../support/folder";

/** New connections a second to each address; there are eight. */
const RATE = 25;

/** Each goes another way through keepalived: a handover by priority, silence, and a master that goes on in isolation. */
const FAULTS = ["planned", "power-off", "datacenter-cut-off"];

describe("failover", () => {
  const folder = temporaryFolder();
  let stack: Stack;
  let setting: LabSetting;

  before(async () => {
    stack = await open(stackFile(), folder.path);
    setting = await labSetting(stack, lab, join(folder.path, `Pulumi.${NAME}.yaml`), folder.path);
  });
  after(async () => {
    await setting.fleet.close();
    folder.remove();
  });

  for (const name of FAULTS) {
    test(`${name}: what was promised held, and all is as before`, async (t) => {
      const trial = await conduct({ ...setting, hold: 8, perSecond: RATE }, faultByName(name));
      const { bySchemes: ipv4, ...figures4 } = judge(trial.record).ipv4!;
      const { bySchemes: ipv6, ...figures6 } = judge(trial.record).ipv6!;
      const { twoMasters, apart, heal, gateway } = judge(trial.record);
      t.diagnostic(JSON.stringify({ ipv4: figures4, ipv6: figures6, gateway, twoMasters, apart, heal }));
      assert.deepEqual(
        [ipv4, ipv6].map((each) => Object.keys(each)),
        [
          ["http", "https"],
          ["http", "https"],
        ],
      );
      const pledges = promises(trial, judge(trial.record), setting.advertInterval, 1000 / RATE);
      const broken = pledges.filter(({ held, speed }) => !held && speed === undefined);
      const seen = failuresOf(trial.record.attempts).map((each) => JSON.stringify(each));
      const said = [...broken.map(({ text }) => `broken: ${text}`), ...trial.after.problems, ...seen];
      assert.equal(broken.length, 0, [...said, `fault at ${trial.record.began}`].join("\n"));
      if (name !== "planned") assert.ok(figures4.failed > 0 && figures6.failed > 0, "the fault was real");
      if (name === "power-off") assert.notEqual(trial.after.active, trial.record.active, "nothing moves back");
    });
  }

  test("databases that were all stopped, in order, return by themselves", async () => {
    const all = cluster.databases;
    for (const name of all) await lab.openstackDo("server", "stop", name);
    const states = async (): Promise<string[]> =>
      (await lab.openstack<{ Name: string; Status: string }[]>("server", "list"))
        .filter(({ Name }) => all.includes(Name))
        .map(({ Status }) => Status);
    const reached = (state: string) => (seen: string[]) => seen.every((each) => each === state);
    await until("all databases to be off", states, reached("SHUTOFF"), { seconds: 120, every: 1000 });
    await lab.openstackDo("server", "start", ...all);
    await until(
      "a row to be written and read again",
      () => cluster.rowAcrossDatacenters("return").then(Boolean, () => false),
      Boolean,
      { seconds: 180, every: 1000 },
    );
  });

  test("afterwards there is nothing to change", async () => {
    await stack.up(["--refresh", "--expect-no-changes"]);
  });
});
