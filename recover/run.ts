import { setTimeout as sleep } from "node:timers/promises";
import { interruption } from "../operate/interruption";
import type { Stack } from "../operate/stack";
import { ADOPTED, HALF_RECOVERED } from "../plan/mark";
import type { CloudSession } from "../verify/gather/cloud";
import { deployed } from "../verify/gather/deployed";
import { readPlanned } from "../verify/gather/engine";
import { exported, INSTANCE } from "../verify/gather/state";
import { openCloud } from "../verify/verify";
import { mendAttributes } from "./backend";
import { assertSame, decide, neverRan, saidOfAll, strangers } from "./decide";
import { readInventory, type Server } from "./inventory";
import { isHeld, locksIn, saidOf } from "./lock";
import { RECOVERS } from "./preview";
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
  /** Whether the cloud had what no run had noted: then what was pushed to machines may be newer than the state says, too. */
  older: boolean;
}

/**
 * Makes a stack's state and its cloud know each other again, after a run that was cut or the state of an earlier day was
 * put back. Nothing that ever ran is deleted, and no machine is touched. Cut itself, it goes on with the next one.
 *
 * @throws with words that say what to do when somebody is at work on the stack, or this is another cloud
 */
export async function recover(stack: Stack, options: RecoverOptions): Promise<Recovered> {
  const { say } = options;
  const first = await read(stack).catch(async (error: unknown) => {
    if (await mendAttributes(stack, error, say)) return read(stack);
    throw error;
  });
  if (!isOfCloud(first.deployment)) {
    await unlock(stack, first, options);
    return { unclear: false, older: false };
  }
  const session = await openCloud(stack, deployed(first.deployment.resources ?? []));
  let cloud = await readInventory(session);
  assertSame(first.deployment, cloud);
  const { deployment, decision } = inTheCloud(first.deployment, cloud);
  for (const line of saidOfAll(decision)) say(line);
  // The state's notes of what was begun would be lost with the import.
  if (decision.unclear.length > 0) return { unclear: true, older: false };
  await write(stack, { ...first, deployment }, options);
  await settleIn(stack, session, say);

  let older = decision.adopted.some(({ instead }) => instead !== undefined);
  for (let round = 0; round < ROUNDS; round++) {
    const wanted = await planned(stack);
    if (wanted instanceof Error) {
      say(
        `what the next run would make can't be seen, so that only the state was held against the cloud: ${wanted.message}`,
      );
      return { unclear: true, older };
    }
    cloud = await readInventory(session);
    const last = await read(stack);
    const more = decide(last.deployment, cloud, wanted);
    for (const line of saidOfAll({ ...more, missing: [] })) say(line);
    if (more.unclear.length > 0) return { unclear: true, older };
    if (more.adopted.length === 0) break;
    older = true;
    await write(stack, { ...last, deployment: withAdopted(last.deployment, more.adopted, wanted) }, options);
    await settleIn(stack, session, say);
  }
  const { deployment: after } = await read(stack);
  for (const each of strangers(after, cloud)) say(`left alone, as no state explains it: ${each}`);
  return { unclear: false, older };
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
  const input = JSON.stringify({ version, deployment });
  const put = async (): Promise<string | undefined> => {
    if ((await read(stack)).text !== text)
      throw new Error("the state changed meanwhile: somebody is at work on the stack");
    const { code, stdout, stderr } = await stack.pulumi(["stack", "import", "--stack", stack.options.name], { input });
    return code === 0 ? undefined : stdout + stderr;
  };
  const said = await put();
  if (said === undefined) return;
  await takeAway(stack, said, options);
  const again = await put();
  if (again !== undefined) throw new Error(again.trim());
}

/** Of a stack without a cloud: its lock is all that a run leaves; what it had begun on machines is the next one's to know. */
async function unlock(stack: Stack, first: Exported, options: RecoverOptions): Promise<void> {
  const [root] = first.deployment.resources ?? [];
  if (root === undefined) {
    await write(stack, first, options);
    return;
  }
  const edit = ["state", "unprotect", root.urn, "--yes", "--stack", stack.options.name];
  const { code, stdout, stderr } = await stack.pulumi(edit);
  if (code !== 0 && locksIn(stdout + stderr).length > 0) await takeAway(stack, stdout + stderr, options);
}

/** @throws with what was said where it was of no lock, and with whose the lock is where it is somebody's */
async function takeAway(stack: Stack, said: string, options: RecoverOptions): Promise<void> {
  const locks = locksIn(said);
  if (locks.length === 0) throw new Error(said.trim());
  const judged = locks.map((lock) => ({ lock, held: isHeld(lock) }));
  const lines = judged.map(({ lock, held }) => saidOf(lock, held, options.unlock));
  if (judged.some(({ held }) => held === true || (held === undefined && !options.unlock)))
    throw new Error(lines.join("\n"));
  for (const line of lines) options.say(line);
  await stack.must(["cancel", "--yes", "--stack", stack.options.name]);
}

/**
 * Has the provider read what was taken into the state, also by a run of this that was cut: until then it is marked. Servers are
 * marked in the cloud as well, as they may have data that no push is known of; one in ERROR that never ran has none, and goes.
 */
async function settleIn(stack: Stack, session: CloudSession, say: RecoverOptions["say"]): Promise<void> {
  const { deployment } = await read(stack);
  const half = (deployment.resources ?? []).filter(({ initErrors = [] }) => initErrors.includes(HALF_RECOVERED));
  if (half.length === 0) return;
  const servers = await atRest(
    session,
    half.flatMap(({ type, id }) => (type === INSTANCE && id !== undefined ? [id] : [])),
  );
  for (const server of servers) {
    interruption.throwIfAborted();
    const { id, name } = server;
    if (neverRan(server)) {
      await session.call("compute", `servers/${id}`, "DELETE");
      say(`server ${name}: in ERROR and never ran, ${id} is deleted`);
    } else {
      const body = { metadata: { [ADOPTED]: "yes" } };
      await session.call("compute", `servers/${id}/metadata`, "POST", { body });
    }
  }
  await gone(session, servers.filter(neverRan));
  const { name, configFile } = stack.options;
  const file = configFile === undefined ? [] : ["--config-file", configFile];
  const targets = half.flatMap(({ urn }) => ["--target", urn]);
  await stack.must(["refresh", "--yes", "--skip-preview", "--stack", name, ...file, ...targets]);
}

const PATIENCE_MS = 600_000;

/** Nova goes on with a server whose run was cut. */
async function atRest(session: CloudSession, ids: readonly string[]): Promise<Server[]> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    interruption.throwIfAborted();
    const servers = (await readInventory(session)).servers.filter(({ id }) => ids.includes(id));
    const building = servers.filter(({ status }) => status === "BUILD").map(({ name }) => name);
    if (building.length === 0) return servers;
    if (Date.now() > end)
      throw new Error(`waited ${PATIENCE_MS / 60_000} minutes for Nova to build ${building.join(", ")}`);
    await sleep(2000);
  }
}

async function gone(session: CloudSession, servers: readonly Server[]): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; servers.length > 0;) {
    interruption.throwIfAborted();
    const left = (await readInventory(session)).servers.filter(({ id }) => servers.some((each) => each.id === id));
    if (left.length === 0) return;
    if (Date.now() > end) throw new Error(`Nova does not delete ${left.map(({ name }) => name).join(", ")}`);
    await sleep(1000);
  }
}

async function planned(stack: Stack): Promise<Resource[] | Error> {
  try {
    const steps = await readPlanned(stack, [], { ...stack.env, [RECOVERS]: "1" });
    return steps.flatMap(({ op, newState }) =>
      op.startsWith("create") && newState ? [withoutSecrets(newState as Resource)] : [],
    );
  } catch (error) {
    interruption.throwIfAborted();
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A preview shows this word in their place. */
function withoutSecrets({ inputs = {}, ...resource }: Resource): Resource {
  return {
    ...resource,
    inputs: Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== "[secret]")),
  };
}

function isOfCloud({ resources = [], pending_operations: pending = [] }: Deployment): boolean {
  return [...resources, ...pending.map(({ resource }) => resource)].some(({ type }) => type.startsWith("openstack:"));
}
