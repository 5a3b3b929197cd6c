import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Result } from "../../operate/exec";
import type { Fleet } from "../../operate/fleet";
import type { DeployedMachine } from "./deployed";
import { type MachineFacts, parseFacts } from "./facts";

/** Long enough for a machine under load; one that hangs is a finding, not a reason to wait. */
const LIMIT_SECONDS = 30;

/** ssh's own exit code, as opposed to the remote command's. */
const SSH_FAILED = 255;

const NODE = join(__dirname, "..", "..", "node");

/** One look at a machine, in one round trip; a text says why there was none. */
export async function lookAt(fleet: Fleet, machine: DeployedMachine): Promise<MachineFacts | string> {
  const look = async (): Promise<Result & { before: number; after: number }> => {
    const before = Date.now() / 1000;
    const result = await fleet.run(machine.name, "sh", { input: script(machine), seconds: LIMIT_SECONDS });
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
