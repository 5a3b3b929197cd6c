import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Result } from "../../operate/exec";
import type { Fleet } from "../../operate/fleet";
import type { Look } from "../checks/vrrp";
import type { DeployedMachine } from "./deployed";
import { type MachineFacts, parseFacts } from "./facts";

/** Long enough for a machine under load; one that hangs is a finding, not a reason to wait. */
const LIMIT_SECONDS = 30;

/** ssh's own exit code, as opposed to the remote command's. */
const SSH_FAILED = 255;

const NODE = join(__dirname, "..", "..", "node");

export interface Unreached {
  name: string;
  reason: string;
  /** Its usual jump host, where that can't be reached either, and no other one could be asked. */
  jump?: string;
}

/** All machines at once; then, by way of another load balancer, those whose own is away. */
export async function lookAtAll(
  fleet: Fleet,
  machines: readonly DeployedMachine[],
): Promise<{ looks: Look[]; unreached: Unreached[] }> {
  const first = await Promise.all(machines.map(async (machine) => ({ machine, facts: await lookAt(fleet, machine) })));
  const looks: Look[] = first.flatMap(({ machine, facts }) => (typeof facts === "string" ? [] : [{ machine, facts }]));
  const unreached: Unreached[] = [];
  const missed = new Map(
    first.flatMap(({ machine, facts }) => (typeof facts === "string" ? [[machine.name, facts] as const] : [])),
  );
  const other = looks.find(({ machine }) => machine.role === "load-balancer")?.machine.name;
  await Promise.all(
    machines
      .filter(({ name }) => missed.has(name))
      .map(async (machine) => {
        const { name } = machine;
        const reason = missed.get(name)!;
        const jump = fleet.jump(name);
        if (jump === undefined || !missed.has(jump)) return unreached.push({ name, reason });
        if (other === undefined) return unreached.push({ name, reason, jump });
        const facts = await lookAt(fleet, machine, other);
        if (typeof facts !== "string") return looks.push({ machine, facts });
        return unreached.push({ name, reason: `${facts} (by way of ${other}, as ${jump} is away)` });
      }),
  );
  return { looks, unreached };
}

/**
 * One look at a machine, in one round trip; a text says why there was none.
 *
 * @param by the load balancer to jump by instead of the usual one
 */
export async function lookAt(fleet: Fleet, machine: DeployedMachine, by?: string): Promise<MachineFacts | string> {
  const look = async (): Promise<Result & { before: number; after: number }> => {
    const before = Date.now() / 1000;
    const way = by === undefined ? {} : { by };
    const result = await fleet.run(machine.name, "sh", { input: script(machine), seconds: LIMIT_SECONDS, ...way });
    return { ...result, before, after: Date.now() / 1000 };
  };
  let answer = await look();
  // All machines at once may be more than a busy jump host greets in time.
  if (answer.code === SSH_FAILED) answer = await look();
  const { code, stdout, stderr, before, after } = answer;
  if (code === 0) {
    try {
      return parseFacts(machine.name, stdout, { before, after });
    } catch (error) {
      return (error as Error).message;
    }
  }
  const said = stderr.trim().split("\n").at(-1);
  return said === undefined || said === "" ? `ssh ended with ${code}` : said;
}

/** The look itself, with what it needs to know of this machine in front; it reaches no command line. */
export function script(machine: DeployedMachine): string {
  const wanted = machine.files.map(({ path, text, part }) => {
    const sum = createHash("sha256").update(text).digest("hex");
    return `${sum} ${part === "secrets" ? "secret" : "shown"} ${path}`;
  });
  return [
    `ROLE=${machine.role}`,
    `ASK=${quote(readFileSync(join(NODE, "push", "ask.sh"), "utf8"))}`,
    `WANTED=${quote(wanted.join("\n"))}`,
    readFileSync(join(NODE, "inspect", "inspect.sh"), "utf8"),
  ].join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
