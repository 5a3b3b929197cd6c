import { join } from "node:path";
import { type ExecOptions, exec, type Result, run } from "../exec";
import { until } from "../poll";
import { ROOT } from "./places";

export const LAB = join(ROOT, "lab", "lab.sh");

/** What a project can have, in an order in which it can be deleted, and what it has from the start. */
const KINDS = ["server", "server group", "keypair", "port", "network", "security group"];
const GIVEN = ["external", "default"];

interface Item {
  kind: string;
  id: string;
  name: string;
}

/** The embedded cloud, as seen by one of its projects. */
export class Lab {
  constructor(readonly project: "dev" | "test") {}

  up(options: ExecOptions = {}): Promise<string> {
    return run(LAB, ["up"], { timeout: 1_200_000, ...options });
  }

  /** What a Pulumi program or an OpenStack client needs to find the cloud. */
  async environment(): Promise<Record<string, string>> {
    const exports = await run(LAB, ["env", this.project]);
    return Object.fromEntries(
      [...exports.matchAll(/^export (\w+)=(.*)$/gm)].map(([, key, value]) => [
        key!,
        value!.replace(/^(['"])(.*)\1$/, "$2"),
      ]),
    );
  }

  /** Runs a command as root on a machine, by a way that does not depend on the cluster. */
  ssh(machine: string, script: string): Promise<Result> {
    return exec(LAB, ["ssh", "--project", this.project, machine, script], { timeout: 120_000 });
  }

  /** The same, for a script that reads its standard input. */
  sshWithInput(machine: string, script: string, input: string): Promise<Result> {
    return exec(LAB, ["ssh", "--project", this.project, machine, script], { timeout: 120_000, input });
  }

  /** The same, for what must succeed. */
  on(machine: string, script: string): Promise<string> {
    return run(LAB, ["ssh", "--project", this.project, machine, script], { timeout: 120_000 });
  }

  /** Runs a command where the internet's clients are. */
  client(...command: string[]): Promise<Result> {
    return exec(LAB, ["client", ...command], { timeout: 120_000 });
  }

  power(machine: string, state: "on" | "off" | "reset"): Promise<string> {
    return run(LAB, ["power", "--project", this.project, machine, state]);
  }

  /** Has the next action of that kind fail in the middle: the server is off, and in ERROR. */
  failsNext(machine: string, action: "resize"): Promise<string> {
    return run(LAB, ["fail", "--project", this.project, machine, action]);
  }

  async openstack<T>(...args: string[]): Promise<T> {
    const text = await run(LAB, ["openstack", ...args, "-f", "json"], {
      env: { ...process.env, OS_CLOUD: `lab-${this.project}` },
    });
    return JSON.parse(text) as T;
  }

  /**
   * Several commands in one session, as starting one takes longer than most commands; gives what they print.
   *
   * @param complete whether each has to succeed
   */
  async openstackAll(commands: readonly string[], { complete = true } = {}): Promise<string> {
    const { stdout, stderr } = await exec(LAB, ["openstack"], {
      input: `${commands.join("\n")}\n`,
      env: { ...process.env, OS_CLOUD: `lab-${this.project}` },
    });
    // A session always ends with 1. What is printed of a new server has a password in it, and belongs in no error.
    if (complete && stderr.trim() !== "") throw new Error(`openstack: ${stderr.trim()}`);
    return stdout;
  }

  /** Deletes whatever the project has, but for what it had from the start; fails if something stays. */
  async empty(): Promise<void> {
    let deleting: string[] = [];
    await until(
      `project ${this.project} to be empty`,
      async () => {
        const left = await this.everything(deleting);
        // A port that Nova is just leaving, or a network with such a port, has to be asked for again.
        deleting = left.map(({ kind, id }) => `${kind} delete ${id}`);
        return left;
      },
      (left) => left.length === 0,
      { seconds: 120 },
    );
  }

  /** What is there beyond what was given, after other commands that may fail. */
  private async everything(before: readonly string[]): Promise<Item[]> {
    const lists = KINDS.map((kind) => `${kind} list --format json`);
    const listed = await this.openstackAll([...before, ...lists], { complete: false });
    const arrays = listed.split(/^(?=\[)/m).map((text) => JSON.parse(text) as { ID?: string; Name: string }[]);
    if (arrays.length !== KINDS.length) throw new Error(`openstack listed ${arrays.length} of ${KINDS.length} kinds`);
    return KINDS.flatMap((kind, index) =>
      arrays[index]!.map(({ ID, Name }) => ({ kind, id: ID ?? Name, name: Name })),
    ).filter(({ name }) => !GIVEN.includes(name));
  }

  /** For commands that print nothing worth reading. */
  /** As the provider would. */
  async admin(...args: string[]): Promise<void> {
    await run(LAB, ["openstack", ...args], { env: { ...process.env, OS_CLOUD: "lab-admin" } });
  }

  async openstackDo(...args: string[]): Promise<void> {
    await run(LAB, ["openstack", ...args], { env: { ...process.env, OS_CLOUD: `lab-${this.project}` } });
  }
}

/** Runs a command in the client namespace with streams attached, and gives its arguments for spawn(). */
export function clientCommand(...command: string[]): [file: string, args: string[]] {
  return [LAB, ["client", ...command]];
}
