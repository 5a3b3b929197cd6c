import type { ExecOptions } from "../operate/exec";
import type { Fleet } from "../operate/fleet";
import type { Stack } from "../operate/stack";
import type { Finding } from "./finding";
import type { Deployed } from "./gather/deployed";
import { openNeutron, type Verdict } from "./verify";

/** What has to be done, without a run of Pulumi where there is nothing for it. */
export interface Repairs {
  /** Rules to delete. */
  rules: string[];
  /** Machines that have a maintenance mark. */
  marked: string[];
  /** Options of `pulumi up`; absent when it is not needed. */
  up?: string[];
}

/**
 * One `pulumi up` mends cloud and machines: replacing a Command runs its push again, in the program's own order (load
 * balancers one at a time, after a handover), and has no other effect, as none of these has a `delete`.
 */
export function planRepairs(findings: readonly Finding[], { machines }: Deployed): Repairs {
  const rules: string[] = [];
  const marked: string[] = [];
  const replaced = new Set<string>();
  let refresh = false;
  for (const { repair, where } of findings) {
    if (repair?.kind === "delete-rule") rules.push(repair.id);
    if (repair?.kind === "unmark") marked.push(where);
    if (repair?.kind === "refresh") refresh = true;
    if (repair?.kind !== "push") continue;
    const urn = machines.find(({ name }) => name === where)?.commands[repair.part];
    if (urn !== undefined) replaced.add(urn);
  }
  if (!refresh && replaced.size === 0) return { rules, marked };
  const options = [...replaced].sort().flatMap((urn) => ["--replace", urn]);
  return { rules, marked, up: [...(refresh ? ["--refresh"] : []), ...options] };
}

/** A reason why nothing may be repaired now: `pulumi up` would roll out more than what is missing. */
export function refusal(findings: readonly Finding[]): string | undefined {
  const stack = findings.find(({ check }) => check === "stack");
  if (!stack) return undefined;
  return stack.severity === "unknown"
    ? `nothing repaired: whether the stack file is as deployed can't be seen: ${stack.found}`
    : `nothing repaired: the stack file or the program has moved on since the last deployment (${stack.found}), and a repair would roll that out too. Look at it first: pulumi preview --diff, then pulumi up`;
}

/** @throws with Pulumi's words when `up` fails; what was repaired until then stays. */
export async function repair(
  stack: Stack,
  fleet: Fleet,
  { findings, deployed }: Verdict,
  options: ExecOptions,
): Promise<void> {
  const { rules, marked, up } = planRepairs(findings, deployed);
  if (rules.length > 0) {
    const neutron = await openNeutron(stack, deployed);
    for (const id of rules) await neutron.deleteRule(id);
  }
  for (const name of marked) await fleet.must(name, "rm -f /run/ha-cluster/maintenance");
  if (up !== undefined) await stack.up(up, options);
}
