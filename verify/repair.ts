import type { ExecOptions } from "../operate/exec";
import type { Stack } from "../operate/stack";
import { announced, consequences, objection } from "./consequences";
import { copiesOf, doubt } from "./data";
import { type Finding, LAST_RUN, LOST_DATABASES, STATE } from "./finding";
import type { Deployed, DeployedMachine } from "./gather/deployed";
import { readPlanned } from "./gather/engine";
import { Neutron } from "./gather/neutron";
import { INSTANCE, PORT } from "./gather/state";
import { giveBack } from "./reattach";
import { fleetOf, openCloud, type Verdict } from "./verify";

/** What has to be done, without a run of Pulumi where there is nothing for it. */
export interface Repairs {
  /** Rules to delete. */
  rules: string[];
  /** Machines that have a maintenance mark. */
  marked: string[];
  /** Options of `pulumi up`; absent when it is not needed. */
  up?: string[];
  /** Machines that get their ports back, in this order: load balancers first, by way of which the others are reached. */
  attach: string[];
}

/**
 * One `pulumi up` mends cloud and machines: replacing a Command runs its push again, in the program's own order (load
 * balancers one at a time, after a handover), and has no other effect, as none of these has a `delete`.
 *
 * Where a machine lacks a port, all pushes wait for the next round: they would fail on it, and by way of it.
 */
export function planRepairs(findings: readonly Finding[], { machines }: Deployed): Repairs {
  const rules: string[] = [];
  const marked: string[] = [];
  const replaced = new Set<string>();
  let refresh = false;
  const apart = new Set<string>();
  const anew = new Set<string>();
  for (const { repair, where } of findings) {
    if (repair?.kind === "delete-rule") rules.push(repair.id);
    if (repair?.kind === "unmark") marked.push(where);
    if (repair?.kind === "refresh" || (repair?.kind === "attach" && repair.anew)) refresh = true;
    if (repair?.kind === "attach") apart.add(where);
    if (repair?.kind === "attach" && repair.anew) anew.add(where);
    if (repair?.kind !== "push" && repair?.kind !== "push-all") continue;
    const commands = machines.find(({ name }) => name === where)?.commands ?? {};
    const urns = repair.kind === "push" ? [commands[repair.part]] : Object.values(commands);
    for (const urn of urns) if (urn !== undefined) replaced.add(urn);
  }
  const roles = ["load-balancer", "database", "app-server"];
  const attach = machines
    .filter(({ name }) => apart.has(name))
    .sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role))
    .map(({ name }) => name);
  if (attach.length > 0) replaced.clear();
  if (attach.length > 0 && isAhead(findings)) return portsAlone({ rules, marked, attach }, machines, anew);
  if (!refresh && replaced.size === 0) return { rules, marked, attach };
  const options = [...replaced].sort().flatMap((urn) => ["--replace", urn]);
  return { rules, marked, attach, up: [...(refresh ? ["--refresh"] : []), ...options] };
}

/** Whether `pulumi up` would do more than mend what was found: the stack file has moved on, or the last run was cut. */
function isAhead(findings: readonly Finding[]): boolean {
  return findings.some(({ check, severity }) => check === "stack" && severity === "warning");
}

/**
 * Where `pulumi up` has more to do it pushes to everybody, and would fail on those that are cut off: only ports are made. Those
 * that the state has forgotten come first, as a refresh takes no target that is not in it.
 */
function portsAlone(
  { rules, marked, attach }: Repairs,
  machines: readonly DeployedMachine[],
  anew: ReadonlySet<string>,
): Repairs {
  const lost = machines.filter(({ name }) => anew.has(name));
  const forgotten = lost.filter(({ ports }) => ports.some(({ urn }) => urn === undefined));
  const made = forgotten.length > 0 ? forgotten : lost;
  const later = lost.filter((each) => !made.includes(each)).map(({ name }) => name);
  const targets = made.flatMap(portUrns).flatMap((urn) => ["--target", urn]);
  const up = [...(forgotten.length > 0 ? [] : ["--refresh"]), ...targets];
  return {
    ...{ rules, marked, attach: attach.filter((name) => !later.includes(name)) },
    ...(targets.length > 0 && { up }),
  };
}

function portUrns({ name, server, ports }: DeployedMachine): string[] {
  const siblings = server?.urn.replace(INSTANCE, PORT) ?? "";
  return ports.map((port) => `${siblings}${port.name.slice(name.length)}`);
}

/** A reason why nothing may be repaired now: `pulumi up` would roll out more than what is missing. Lost ports need no such run. */
export function refusal(findings: readonly Finding[]): string | undefined {
  const ahead = findings.filter(({ check, what }) => check === "stack" && what !== LAST_RUN);
  const stack = ahead.find(({ what }) => what === STATE) ?? ahead[0];
  if (!stack) return undefined;
  if (stack.severity === "warning" && findings.some(({ repair: way }) => way?.kind === "attach")) return undefined;
  if (stack.what === STATE) return `nothing repaired: ${stack.mend} comes first: ${stack.found}`;
  return stack.severity === "unknown"
    ? `nothing repaired: whether the stack file is as deployed can't be seen: ${stack.found}`
    : `nothing repaired: the stack file or the program has moved on since the last deployment, or that did not come to its end (${stack.found}), and a repair would roll that out too. Look at it first: pulumi preview --diff, then pulumi up`;
}

/** What a repair leaves alone, for a person to decide. */
export function leftAlone({ deployed, seen }: Verdict): string | undefined {
  const why = doubt(copiesOf(deployed, seen.looks));
  return why === undefined ? undefined : `no database is touched: ${why}. ${LOST_DATABASES}`;
}

export interface RepairOptions extends ExecOptions {
  /** Whether servers without data may be deleted and made anew. */
  replaceServers: boolean;
  /** Told what is stopped, deleted or made anew, before it is. */
  say: (text: string) => void;
}

/**
 * Looks first at what `pulumi up` would do, with the very options that it is given then.
 *
 * @throws with a reason before anything is touched; with Pulumi's words when `up` fails: what was repaired until then stays
 */
export async function repair(stack: Stack, verdict: Verdict, options: RepairOptions): Promise<void> {
  const { findings, deployed, seen } = verdict;
  const { rules, marked, up, attach } = planRepairs(findings, deployed);
  if (up !== undefined) {
    const copies = copiesOf(deployed, seen.looks);
    const felt = consequences(await readPlanned(stack, up, stack.env), deployed);
    for (const line of announced(felt, findings)) options.say(`repair: ${line}`);
    const why = objection(felt, copies, doubt(copies), options);
    if (why !== undefined) throw new Error(why);
  }
  for (const name of attach) options.say(`repair: ${given(name, findings)}`);
  if (rules.length > 0) {
    const neutron = new Neutron(await openCloud(stack, deployed));
    for (const id of rules) await neutron.deleteRule(id);
  }
  if (marked.length > 0) {
    const fleet = fleetOf(deployed);
    try {
      for (const name of marked) await fleet.must(name, "rm -f /run/ha-cluster/maintenance");
    } finally {
      await fleet.close();
    }
  }
  if (up !== undefined) await stack.up(up, options);
  if (attach.length > 0) await giveBack(stack, attach);
}

/** In words, before it is done. */
function given(name: string, findings: readonly Finding[]): string {
  const own = findings.filter(({ where, repair: way }) => where === name && way?.kind === "attach");
  const anew = own.some(({ repair: way }) => way?.kind === "attach" && way.anew);
  const ports = own.map(({ what }) => what).join(", ");
  return `${name} is stopped, gets ${ports}${anew ? ", made anew with the addresses that it had," : ""} and is started again; its disk stays`;
}
