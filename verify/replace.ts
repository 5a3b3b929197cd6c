import { MAY_REPLACE } from "../change/refuse";
import type { ExecOptions } from "../operate/exec";
import type { Stack } from "../operate/stack";
import { announced, consequences } from "./consequences";
import { copiesOf, doubt } from "./data";
import { LOST_DATABASES, SERVING } from "./finding";
import type { Deployed, DeployedMachine } from "./gather/deployed";
import { readPlanned } from "./gather/engine";
import { refusal } from "./repair";
import { fleetOf, type Verdict } from "./verify";

/** Longer than farewell.sh may take; see components/remote.ts. */
const FAREWELL_SECONDS = 310;

/** By host name or id. @throws with all names */
export function machineOf(name: string, { machines }: Deployed): DeployedMachine {
  const found = machines.find((each) => each.name === name || each.id === name);
  if (!found) throw new Error(`no server ${name}; there are ${machines.map((each) => each.name).join(", ")}`);
  if (!found.ours || !found.server)
    throw new Error(
      found.ours
        ? `${found.name} is not in the state: pulumi up makes it`
        : `${found.name} was built by somebody else: replace it there, then write its new host key into the stack file`,
    );
  return found;
}

/** Why the others can't do without it now; undefined where they can. Pure. */
export function objection(
  target: DeployedMachine,
  verdict: Verdict,
  { unheard = false }: { unheard?: boolean } = {},
): string | undefined {
  const { deployed, seen, findings } = verdict;
  const ahead = refusal(findings);
  const port = findings.find(({ where, repair: way }) => where === target.name && way?.kind === "attach");
  if (port !== undefined && !unheard)
    return `${port.what} of ${target.name} is ${port.found}, and it can have it again as it stands: npm run verify -- --repair. If that fails, as its hypervisor is dead: --unheard`;
  if (ahead !== undefined) return ahead.replace(/^nothing repaired: /, "").replace("a repair", "it");
  const jump = target.role === "load-balancer" ? undefined : jumpOf(target, deployed);
  if (jump !== undefined && !seen.looks.some(({ machine }) => machine.name === jump.name))
    return `${jump.name} is away, by way of which ${target.name} is reached and pushed to: heal or replace that first`;
  if (target.role === "database") {
    const others = copiesOf(deployed, seen.looks).filter(({ name }) => name !== target.name);
    const why = doubt(others);
    if (why !== undefined) return `${why}: ${LOST_DATABASES}`;
    const behind = others.filter(({ synced }) => !synced).map(({ name }) => name);
    return behind.length === 0
      ? undefined
      : `${behind.join(", ")} ${behind.length === 1 ? "is" : "are"} not synced: heal that first, then replace ${target.name}`;
  }
  const kind = kindOf(target, deployed);
  const alike = deployed.machines.filter((each) => each.name !== target.name && kindOf(each, deployed) === kind);
  const well = alike.filter(
    ({ name }) =>
      seen.looks.some(({ machine }) => machine.name === name) &&
      !findings.some((each) => each.where === name && each.severity === "drift" && SERVING.includes(each.check)),
  );
  if (well.length > 0) return undefined;
  return `no other ${target.role === "load-balancer" ? "load balancer" : "server of its group"} is well: heal one first (npm run verify -- --repair)`;
}

/** Servers of one kind stand in for each other: those of a role, of a group. Both a group's name and a datacenter's may have hyphens. */
function kindOf({ id, role }: DeployedMachine, { machines }: Deployed): string {
  if (role !== "app-server") return role;
  const datacenters = machines
    .filter((each) => each.role === "load-balancer")
    .map((each) => each.id.slice("lb-".length));
  const own = datacenters.find((name) => new RegExp(`-${name}-\\d+$`).test(id));
  return own === undefined ? id : id.slice(0, id.lastIndexOf(`-${own}-`));
}

/** The load balancer of its datacenter. */
function jumpOf({ id, role }: DeployedMachine, { machines }: Deployed): DeployedMachine | undefined {
  const balancers = machines.filter((each) => each.role === "load-balancer");
  return balancers.find((each) => {
    const datacenter = each.id.slice("lb-".length);
    return role === "database" ? id === `db-${datacenter}` : new RegExp(`-${datacenter}-\\d+$`).test(id);
  });
}

/** What it does, before it is done. */
export async function planned(stack: Stack, target: DeployedMachine, deployed: Deployed): Promise<string[]> {
  const felt = consequences(await readPlanned(stack, options(target), env(stack, target)), deployed);
  const others = felt.filter(({ name, does }) => name !== target.name && does !== "push");
  if (others.length > 0) throw new Error(`it would not be alone: ${announced(others, []).join("; ")}`);
  return announced(felt, []);
}

export interface Steps extends ExecOptions {
  /** Whether it goes as it is, told or not. */
  unheard: boolean;
  say: (text: string) => void;
}

/**
 * The server says farewell if it still can; then one `pulumi up` deletes it, makes it anew and pushes to it.
 *
 * @throws with what failed, and what that leaves
 */
export async function replace(
  stack: Stack,
  target: DeployedMachine,
  { deployed }: Verdict,
  steps: Steps,
): Promise<void> {
  const { say, unheard, ...exec } = steps;
  const told = unheard ? false : await tell(target, deployed, say);
  try {
    await stack.up(options(target), { ...exec, env: env(stack, target) });
  } catch (error) {
    const left = told
      ? `${target.name} has said farewell: if it is still the old one, npm run verify -- --repair has it serve again; if it is gone, pulumi up makes it`
      : `npm run verify says what is there; if it is gone, pulumi up makes it`;
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${left}`);
  }
}

/** Whether it has said farewell. @throws when it could, and the others can't do without it, or it failed at that */
async function tell(target: DeployedMachine, deployed: Deployed, say: (text: string) => void): Promise<boolean> {
  const fleet = fleetOf(deployed, { ownSession: true });
  try {
    const { code } = await fleet.run(target.name, "test -x /opt/ha-cluster/farewell.sh", { seconds: 20 });
    if (code === 0) {
      say(`${target.name} hands over and stops serving`);
      const farewell = `timeout -k 10 300 /opt/ha-cluster/farewell.sh ${target.role}`;
      const said = await fleet.run(target.name, farewell, { seconds: FAREWELL_SECONDS });
      if (said.code === 0) return true;
      throw new Error(
        `${said.stderr.trim()}\n${target.name} serves as before. If it is too broken to say farewell, and the others do without it: --unheard`,
      );
    }
    say(
      `${target.name} can't be told (${code === 1 ? "its scripts are gone" : "not reached by SSH"}), and goes as it is`,
    );
    return false;
  } finally {
    await fleet.close();
  }
}

function options({ server }: DeployedMachine): string[] {
  return ["--replace", server!.urn];
}

/** Without its name the program would keep it as it is. */
function env(stack: Stack, { name }: DeployedMachine): NodeJS.ProcessEnv {
  return { ...stack.env, [MAY_REPLACE]: name };
}
