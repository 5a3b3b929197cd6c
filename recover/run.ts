import { until } from "../operate/poll";
import type { Stack } from "../operate/stack";
import type { CloudSession } from "../verify/gather/cloud";
import { type Step, readPlanned } from "../verify/gather/engine";
import { openCloud } from "../verify/verify";
import { deployed } from "../verify/gather/deployed";
import { exported } from "../verify/gather/state";
import { mendAttributes } from "./backend";
import { type Adopted, decide, type Decision, saidOfAll, strangers } from "./decide";
import { type Inventory, readInventory } from "./inventory";
import { isHeld, locksIn, saidOf } from "./lock";
import { RECOVERS } from "./mark";
import { inTheCloud, ROUNDS } from "./settle";
import { type Deployment, type Resource, withAdopted } from "./state";

export interface RecoverOptions {
  /** Whether a lock is taken away whose holder can't be seen from here. */
  unlock: boolean;
  /** Told what is found, and what is done. */
  say: (line: string) => void;
}

export interface Recovered {
  /** Whether a person has to look first. */
  unclear: boolean;
  /** Whether the state was older than the cloud: then what was pushed to machines may be newer than it says, too. */
  older: boolean;
}

/**
 * Makes a stack's state and its cloud know each other again, after a run that was cut or the state of an earlier day was
 * put back. Nothing that ever ran is deleted, and no machine is touched.
 *
 * @throws with words that say what to do when somebody is at work on the stack
 */
export async function recover(stack: Stack, options: RecoverOptions): Promise<Recovered> {
  const { say } = options;
  const first = await read(stack).catch(async (error: unknown) => {
    if (await mendAttributes(stack, error, say)) return read(stack);
    throw error;
  });
  if (!isOfCloud(first.deployment)) {
    await write(stack, first, options);
    return { unclear: false, older: false };
  }
  const session = await openCloud(stack, deployed(first.deployment.resources ?? []));
  let cloud = await atRest(session, first.deployment);
  const begun = inTheCloud(first.deployment, cloud);
  for (const line of saidOfAll(begun.decision)) say(line);
  await remove(session, begun.decision);
  await write(stack, { ...first, deployment: begun.deployment }, options);
  await refresh(stack, begun.decision.adopted);

  let unclear = begun.decision.unclear.length > 0;
  let older = begun.decision.adopted.some(({ instead }) => instead !== undefined);
  for (let round = 0; round < ROUNDS; round++) {
    const steps = await planned(stack, say);
    cloud = await readInventory(session);
    const last = await read(stack);
    const wanted = steps.flatMap(({ op, newState }) =>
      op.startsWith("create") && newState ? [newState as Resource] : [],
    );
    const decision = decide(last.deployment, cloud, wanted);
    if (decision.adopted.length === 0) {
      unclear ||= decision.unclear.length > 0;
      for (const line of saidOfAll({ ...decision, deleted: [] })) say(line);
      break;
    }
    older = true;
    for (const line of saidOfAll({ ...decision, deleted: [], unclear: [] })) say(line);
    await write(stack, { ...last, deployment: withAdopted(last.deployment, decision.adopted, wanted) }, options);
    await refresh(stack, decision.adopted);
  }
  const { deployment } = await read(stack);
  for (const each of strangers(deployment, cloud)) say(`left alone, as no state explains it: ${each}`);
  return { unclear, older };
}

interface Exported {
  /** As it was printed. */
  text: string;
  version: number;
  deployment: Deployment;
}

async function read(stack: Stack): Promise<Exported> {
  const text = await exported(stack, "--show-secrets");
  return { text, ...(JSON.parse(text) as Omit<Exported, "text">) };
}

/** Also where nothing has changed: it is what finds a lock, and forgets what was begun. */
async function write(stack: Stack, { text, version, deployment }: Exported, options: RecoverOptions): Promise<void> {
  const { name } = stack.options;
  const input = JSON.stringify({ version, deployment });
  for (let unlocked = false; ; unlocked = true) {
    if ((await read(stack)).text !== text)
      throw new Error("the state changed meanwhile: somebody is at work on the stack");
    const { code, stdout, stderr } = await stack.pulumi(["stack", "import", "--stack", name], { input });
    if (code === 0) return;
    const locks = locksIn(stdout + stderr);
    if (locks.length === 0 || unlocked) throw new Error(`${stdout}\n${stderr}`.trim());
    const judged = locks.map((lock) => ({ lock, held: isHeld(lock) }));
    const lines = judged.map(({ lock, held }) => saidOf(lock, held));
    if (judged.some(({ held }) => held === true || (held === undefined && !options.unlock)))
      throw new Error(lines.join("\n"));
    for (const line of lines) options.say(line);
    await stack.must(["cancel", "--yes", "--stack", name]);
  }
}

/** Nova goes on with a server whose run was cut. */
async function atRest(session: CloudSession, { pending_operations: pending = [] }: Deployment): Promise<Inventory> {
  const names = pending.map(({ resource }) => resource.inputs?.["name"]);
  return until(
    "servers that are being made",
    () => readInventory(session),
    ({ servers }) => !servers.some(({ name, status }) => status === "BUILD" && names.includes(name)),
    { seconds: 600, every: 2000 },
  );
}

async function remove(session: CloudSession, { deleted }: Decision): Promise<void> {
  for (const { id } of deleted) await session.call("compute", `servers/${id}`, "DELETE");
  await until(
    "servers that never ran to be gone",
    () => readInventory(session),
    ({ servers }) => !servers.some(({ id }) => deleted.some((each) => each.id === id)),
    { seconds: 120, every: 1000 },
  );
}

async function refresh(stack: Stack, adopted: readonly Adopted[]): Promise<void> {
  if (adopted.length === 0) return;
  const targets = adopted.flatMap(({ resource }) => ["--target", resource.urn]);
  await stack.must(["refresh", "--yes", "--skip-preview", "--stack", stack.options.name, ...targets]);
}

async function planned(stack: Stack, say: RecoverOptions["say"]): Promise<Step[]> {
  try {
    return await readPlanned(stack, [], { ...stack.env, [RECOVERS]: "1" });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say(`what the next run would make can't be seen, so that only the state was held against the cloud: ${why}`);
    return [];
  }
}

function isOfCloud({ resources = [], pending_operations: pending = [] }: Deployment): boolean {
  return [...resources, ...pending.map(({ resource }) => resource)].some(({ type }) => type.startsWith("openstack:"));
}
