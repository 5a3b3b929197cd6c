import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Change } from "../change/change";
import { type ConfigFile, bundle } from "../render/bundle";
import type { Role } from "../plan/servers";
import type { Machine } from "./machines/machine";

/** How a machine is reached; host keys are always verified, on the way too. */
export interface Door {
  host: pulumi.Input<string>;
  /** 22 unless given. */
  port?: number;
  user: string;
  /** The machine's public host key, one line. */
  hostKey: string;
  privateKey: pulumi.Output<string>;
  /** Who stands between: a load balancer, or a jump host. */
  jump?: Door;
}

/** What is brought to one machine. */
export interface Push {
  role: Role;
  machine: Machine;
  /** Self-extracting text of node/; see {@link selfExtracting}. */
  scripts: string;
  files: ConfigFile[];
  secrets: ConfigFile[];
  /** After what, since it was built, it is pushed to. */
  change: Pick<Change, "after" | "othersAfter">;
  /** Of the database that founds the cluster, and of the first server of a group. */
  founding?: Founding;
}

export interface Founding {
  /** Of the Command, whichever machine it is that founds. */
  name: string;
  /** Of the scripts on the machine the one that gives leave. */
  script: string;
  /** What exists then. */
  what: string;
  /** It exists, maybe from before Pulumi's state knew of its founding. */
  founded: boolean;
}

/** Longer than any step of node/push.sh may take; without it a hung machine would hang `up` for ever. */
const LIMIT_SECONDS = 900;

/** Longer than a handover and a drain take together. */
const FAREWELL_SECONDS = 300;

/** How long a push that was told to stop may take for its way back, which restarts daemons, too. */
const WAY_BACK_SECONDS = 300;

/**
 * Brings scripts, secrets and configuration to a machine, in this order, and returns the last step: whoever depends on it
 * waits until the machine has proved that it serves.
 *
 * Secrets have a Command of their own, because one secret part of a stdin hides the whole from a preview.
 *
 * @param name the machine's id
 */
export function push(
  name: string,
  args: Push,
  opts: { parent: pulumi.Resource },
  gate: pulumi.Resource[],
): command.remote.Command {
  const root = asRoot(args.machine.door);
  const { after, othersAfter } = args.change;
  const scripts = remote(
    `${name}-scripts`,
    {
      // Whoever reads the state learns who can log in: connections are encrypted there. It stands last, where earlier releases look
      // for it, too. See change/deployed.ts.
      script: `${root}sh${afterwards(othersAfter.scripts[name])} # as ${args.machine.door.user}`,
      stdin: args.scripts,
      attempts: ATTEMPTS.booting,
    },
    args,
    { ...opts, dependsOn: gate },
  );
  const adoption = adopt(name, args, { ...opts, dependsOn: [scripts] });
  const secrets = remote(
    `${name}-secrets`,
    {
      script: `${root}${pushCommand(args.role, "secrets")}${afterwards(othersAfter.secrets[name])}`,
      stdin: pulumi.secret(bundle(args.secrets)),
      logging: "none",
    },
    args,
    { ...opts, dependsOn: adoption ? [scripts, adoption] : [scripts], additionalSecretOutputs: ["stdout", "stderr"] },
  );
  const founding = args.founding && found(args.machine, args.founding, { ...opts, dependsOn: [scripts] });
  return remote(
    `${name}-config`,
    {
      script: `${root}${pushCommand(args.role, "files")}${afterwards(after[name])}`,
      stdin: bundle(args.files),
      attempts: ATTEMPTS.booting,
    },
    args,
    {
      ...opts,
      dependsOn: founding ? [secrets, founding] : [secrets],
    },
  );
}

/**
 * Gives one machine leave to found the cluster of databases, or to serve the sample, in the first build and never again: the state knows that
 * it was given, and once one of them was pushed to, neither another machine nor any other change of inputs has it run anew. A founder that is made
 * anew joins like the others: it does not start an empty cluster that those would give their data up for, nor serve the sample beside their release.
 */
function found(
  machine: Machine,
  { name, script, what, founded }: Founding,
  opts: pulumi.CustomResourceOptions,
): command.remote.Command {
  return new command.remote.Command(
    name,
    {
      connection: connection(machine.door, ATTEMPTS.up),
      create: founded ? `echo ${what}` : `${asRoot(machine.door)}/opt/ha-cluster/${script}`,
      update: "true",
      triggers: [machine.id],
      addPreviousOutputInEnv: false,
    },
    { ...opts, ...(founded ? { ignoreChanges: [...COMMAND_INPUTS, "triggers"] } : {}) },
  );
}

/**
 * Has a host that somebody else built keep what it has before anything is replaced, and go back to it when the stack is
 * destroyed. It is never replaced itself, as that would be a farewell too.
 */
function adopt(name: string, args: Push, opts: pulumi.CustomResourceOptions): command.remote.Command | undefined {
  const { adoption, door } = args.machine;
  if (adoption === undefined) return undefined;
  const root = asRoot(door);
  const script = `${root}timeout -k ${WAY_BACK_SECONDS} ${LIMIT_SECONDS} /opt/ha-cluster/adopt.sh${afterwards(args.change.othersAfter.adoption[name])}`;
  // A farewell that was interrupted at its very end has removed the script already.
  const leave = `[ ! -e /opt/ha-cluster/leave.sh ] || ${root}timeout -k ${WAY_BACK_SECONDS} ${LIMIT_SECONDS} /opt/ha-cluster/leave.sh`;
  return remote(`${name}-adoption`, { script, stdin: adoption, leave }, args, opts);
}

/** What is run when its words are other ones than last time, and for no other reason: what was done before stays as it is. */
interface Once {
  door: Door;
  words: string;
  due: boolean;
}

/** Has a machine that serves hand over and stop serving, before what depends on it stops or deletes it. */
export function farewell(
  name: string,
  { role, ...said }: Once & { role: Role },
  opts: { parent: pulumi.Resource },
  gate: pulumi.Resource[],
): pulumi.Resource {
  const script = `timeout -k 10 ${FAREWELL_SECONDS} /opt/ha-cluster/farewell.sh ${role}`;
  return once(`${name}-farewell`, { ...said, script }, opts, gate);
}

/**
 * Has a machine let in another user than the one that `door` logs in as. It knows nothing of the machine: it comes before
 * whatever stops or replaces that.
 *
 * @param args.publicKey one line of authorized_keys(5)
 * @param args.stdin the text of node/login/login.sh
 */
export function letIn(
  name: string,
  { user, publicKey, ...said }: Once & { user: string; publicKey: string; stdin: string },
  opts: { parent: pulumi.Resource },
  gate: pulumi.Resource[],
): pulumi.Resource {
  const script = `timeout -k 10 60 sh -s -- ${user} '${publicKey}'`;
  return once(`${name}-login`, { ...said, script, attempts: ATTEMPTS.booting }, opts, gate);
}

/** Brings files that are for the time until others have been changed; {@link push} brings what stays. */
export function pushBetween(
  name: string,
  { role, files, ...said }: Once & { role: Role; files: ConfigFile[] },
  opts: { parent: pulumi.Resource },
  gate: pulumi.Resource[],
): pulumi.Resource {
  return once(`${name}-between`, { ...said, script: pushCommand(role, "files"), stdin: bundle(files) }, opts, gate);
}

/** Lets time pass, on a machine: a program of Pulumi's has no other way. */
export function pause(
  name: string,
  { seconds, ...said }: Once & { seconds: number },
  opts: { parent: pulumi.Resource },
  gate: pulumi.Resource[],
): pulumi.Resource {
  return once(name, { ...said, script: `sleep ${seconds}` }, opts, gate);
}

function once(
  name: string,
  {
    door,
    script,
    stdin,
    words,
    due,
    attempts = ATTEMPTS.up,
  }: Once & Pick<Run, "script" | "attempts"> & Partial<Pick<Run, "stdin">>,
  opts: { parent: pulumi.Resource },
  gate: pulumi.Resource[],
): pulumi.Resource {
  const run = `${asRoot(door)}${script} # ${words}`;
  return new command.remote.Command(
    name,
    {
      connection: connection(door, attempts),
      create: run,
      update: run,
      ...(stdin !== undefined && { stdin }),
      addPreviousOutputInEnv: false,
    },
    { ...opts, dependsOn: gate, ...(due ? {} : { ignoreChanges: [...COMMAND_INPUTS, "stdin"] }) },
  );
}

const COMMAND_INPUTS = ["connection", "create", "update", "addPreviousOutputInEnv"];

function asRoot({ user }: Door): string {
  return user === "root" ? "" : "sudo -n ";
}

/** Who has said farewell, say, has to prove anew that it serves, also if it was not stopped after all. */
function afterwards(words: string | undefined): string {
  return words === undefined ? "" : ` # after: ${words}`;
}

function pushCommand(role: Role, what: "files" | "secrets"): string {
  return `timeout -k ${WAY_BACK_SECONDS} ${LIMIT_SECONDS} /opt/ha-cluster/push.sh ${role} ${what}`;
}

interface Run {
  /** Idempotent: the first time and every change run the same. */
  script: string;
  stdin: pulumi.Input<string>;
  /** What is run when the resource is deleted. */
  leave?: string;
  attempts?: number;
  logging?: command.types.enums.remote.Logging;
}

function remote(
  name: string,
  { script, stdin, leave, attempts = ATTEMPTS.up, logging = "stdoutAndStderr" }: Run,
  { machine: { id, door } }: Push,
  opts: pulumi.CustomResourceOptions,
): command.remote.Command {
  return new command.remote.Command(
    name,
    {
      connection: connection(door, attempts),
      create: script,
      update: script,
      stdin,
      // A trigger replaces, which is right only for another machine: everything else is an update of this one.
      ...(leave === undefined ? { triggers: [id] } : { delete: leave }),
      logging,
      addPreviousOutputInEnv: false,
    },
    opts,
  );
}

/**
 * Attempts to connect, some 4 s apart: the first command waits for a machine that may still be booting, the others only
 * bridge a hiccup. A wrong host key is tried again like any other error, so the number is also how long that takes to show.
 */
const ATTEMPTS = { booting: 30, up: 5 };

function connection(door: Door, dialErrorLimit: number): pulumi.Input<command.types.input.remote.ConnectionArgs> {
  const { host, port, user, hostKey, privateKey, jump } = door;
  const self = {
    host,
    ...(port !== undefined && { port }),
    user,
    hostKey,
    privateKey,
    dialErrorLimit,
    perDialTimeout: 5,
  };
  return jump ? { ...self, proxy: connection(jump, dialErrorLimit) } : self;
}
