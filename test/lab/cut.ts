import assert from "node:assert/strict";
import type { Stack } from "../../operate/stack";
import { until } from "../../operate/poll";
import { type Inventory, readInventory } from "../../recover/inventory";
import { KINDS } from "../../recover/match";
import { CloudSession, cloudAccess } from "../../verify/gather/cloud";
import { typeOf } from "../../verify/gather/state";
import { resources } from "./standing";
import { alive, childrenOf, engineOf } from "./engine";
import { lab, NAME, verb } from "./support";

export interface Cut {
  /** The line of what a run prints at which it is cut. */
  at: RegExp;
  /** The how manyeth such line; the first unless given. */
  nth?: number;
  /** What has to be true by then; the line alone comes before the engine has noted what it begins. */
  once?: () => Promise<boolean>;
  signal: NodeJS.Signals;
  /** Whom it hits: the engine, as from a terminal, or a plugin of it. */
  whom: "engine" | "openstack" | "command";
}

/**
 * Runs `pulumi up` or `destroy`, and has a signal hit it in the middle. Comes back when nothing of it is at work any more.
 *
 * @returns what it printed; undefined where it came to its end before that line
 */
export async function cutShort(stack: Stack, command: "up" | "destroy", cut: Cut): Promise<string | undefined> {
  const { state, configFile } = stack.options;
  let [printed, lines, hit] = ["", 0, undefined as Promise<number[]> | undefined];
  const echo = (text: string): void => {
    printed += text;
    lines += text.split("\n").filter((line) => cut.at.test(line)).length;
    if (lines >= (cut.nth ?? 1)) hit ??= strike(state!, cut);
  };
  const file = configFile === undefined ? [] : ["--config-file", configFile];
  const { code } = await stack.pulumi([command, "--yes", "--skip-preview", "--stack", NAME, ...file], { echo });
  if (hit === undefined) {
    assert.equal(code, 0, printed);
    return undefined;
  }
  const processes = await hit;
  await until(
    "engine and plugins to end",
    () => alive(processes),
    (left) => left.length === 0,
    { seconds: 120 },
  );
  assert.notEqual(code, 0, printed);
  return printed;
}

/** @returns the processes that have to be gone afterwards: the host of the program's language waits for minutes, and holds nothing */
async function strike(state: string, { once, signal, whom }: Cut): Promise<number[]> {
  if (once) await until("the moment to cut it", once, Boolean, { every: 100 });
  const engine = engineOf(state, NAME);
  if (engine === undefined) throw new Error("no engine holds the lock");
  const children = await childrenOf([engine]);
  const [openstack, command] = await Promise.all(
    ["pulumi-resource-openstack", "pulumi-resource-command"].map((name) => childrenOf([engine], name)),
  );
  const plugins = [...openstack!, ...command!];
  const hit = whom === "engine" ? [engine] : whom === "openstack" ? openstack! : command!;
  if (hit.length === 0) throw new Error(`no ${whom} among ${children.join(", ")}`);
  for (const each of hit) process.kill(each, signal);
  return [engine, ...plugins];
}

/** What docs/recover.md says comes next; what it printed. */
export async function recovered(stack: Stack): Promise<string> {
  const { code, stdout, stderr } = await verb("recover", stack, "run");
  assert.equal(code, 0, stdout + stderr);
  return stdout;
}

/** What the project has. */
async function inventory(): Promise<Inventory> {
  const environment = { ...process.env, ...(await lab.environment()) };
  return readInventory(await CloudSession.open(cloudAccess({ cloud: `lab-${NAME}` }, environment)));
}

/** Whether Nova has begun to make a server. */
export async function isBegun(name: string): Promise<boolean> {
  return (await inventory()).servers.some((each) => each.name === name);
}

/** Everything in the cloud is known to the state, and the other way round. */
export async function everythingIsKnown(stack: Stack): Promise<void> {
  const cloud = await inventory();
  const groups = cloud.groups.filter(({ name }) => name !== "default").map(({ id }) => id);
  const has = {
    ...cloud,
    networks: cloud.networks.filter(({ name }) => name !== "external"),
    subnets: cloud.subnets.filter(({ name }) => !name.startsWith("external-")),
    groups: cloud.groups.filter(({ id }) => groups.includes(id)),
    // A group of Neutron's has two rules from the start.
    rules: cloud.rules.filter((each) => groups.includes(each.security_group_id) && each.direction === "ingress"),
  };
  // Of key pairs nobody sees all.
  const ids = Object.values(KINDS).flatMap((kind) => kind.ids(has) ?? []);
  const known = [...(await resources(stack)).values()]
    .filter(({ urn }) => KINDS[typeOf(urn)]?.ids(has) !== undefined)
    .map(({ id }) => id);
  assert.deepEqual(
    {
      unknown: ids.filter((id) => !known.includes(id)),
      gone: known.filter((id) => id === undefined || !ids.includes(id)),
    },
    { unknown: [], gone: [] },
  );
}
