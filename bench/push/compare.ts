import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Lab } from "../../operate/lab/lab";
import { LAB_PASSPHRASE, ROOT, stackState } from "../../operate/lab/places";
import { Fleet } from "../../operate/fleet";
import { Stack } from "../../operate/stack";
import { Ansible } from "./ansible";
import { targets, type Targets } from "./files";
import { expectFiles, settle } from "./machines";
import type { Variant } from "./variant";

export interface Case {
  name: string;
  variant: Variant;
  /** Arguments by which somebody who knows what changed spares Ansible the rest. */
  ansible?: string[];
}

export interface Comparison {
  name: string;
  /** Seconds, in the order of the runs. */
  pulumi: number[];
  ansible: number[];
}

export const CASES: readonly Case[] = [
  { name: "full push", variant: "full" },
  { name: "one line", variant: "line", ansible: ["--limit", "load_balancers"] },
  {
    name: "one line, and Ansible is told in which file",
    variant: "line",
    ansible: ["--limit", "load_balancers", "--tags", "haproxy"],
  },
  { name: "nothing to do", variant: "base" },
];

const PROJECT = join(ROOT, "bench", "push", "project");

/** Stack dev in the embedded cloud, changed in turn by `pulumi up` and by Ansible. */
export class Contest {
  private constructor(
    private readonly stack: Stack,
    private readonly fleet: Fleet,
    private readonly targets: Targets,
    private readonly ansible: Ansible,
  ) {}

  /** Builds the cluster where there is none, and makes it what the checkout says. */
  static async open(name: "dev" | "test", configFile: string): Promise<Contest> {
    const state = stackState(name);
    mkdirSync(state, { recursive: true, mode: 0o700 });
    const environment = await new Lab(name).environment();
    const stack = await Stack.open({ name, configFile, state, passphrase: LAB_PASSPHRASE, environment });
    await stack.up();
    const planned = await targets(stack);
    const fleet = await Fleet.open(stack);
    const ansible = await Ansible.open(planned, ["base", "full", "line"]);
    const contest = new Contest(stack, fleet, planned, ansible);
    try {
      // Both sides have run once before anything is timed, and drift made by hand is gone.
      await ansible.push("base");
      await expectFiles(fleet, planned.machines, "base");
    } catch (error) {
      await contest.end();
      throw error;
    }
    return contest;
  }

  ansibleVersion(): Promise<string> {
    return this.ansible.version();
  }

  /**
   * As many rounds; in each, both sides bring the change and take it back, from the same state to the same state. Whoever
   * begins one round comes last in the next.
   */
  async run({ name, variant, ansible }: Case, rounds: number): Promise<Comparison> {
    const result: Comparison = { name, pulumi: [], ansible: [] };
    const sides = {
      pulumi: (to: Variant) => this.pulumiUp(to),
      ansible: (to: Variant) => this.playbook(to, ansible),
    };
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? (["pulumi", "ansible"] as const) : (["ansible", "pulumi"] as const);
      for (const side of order) {
        for (const to of variant === "base" ? [variant] : [variant, "base" as const]) {
          await settle(this.fleet);
          result[side].push(await sides[side](to));
          await expectFiles(this.fleet, this.targets.machines, to);
        }
      }
    }
    return result;
  }

  /** Leaves the cluster as `pulumi up` makes it, and healthy. */
  async close(): Promise<void> {
    try {
      await this.stack.up();
      await expectFiles(this.fleet, this.targets.machines, "base");
      await settle(this.fleet);
    } finally {
      await this.end();
    }
  }

  private async end(): Promise<void> {
    await this.ansible.close();
    await this.fleet.close();
  }

  private async pulumiUp(variant: Variant): Promise<number> {
    return timed(() =>
      this.stack.up(["--suppress-outputs"], {
        cwd: PROJECT,
        env: { ...this.stack.env, HA_CLUSTER_BENCH_VARIANT: variant },
      }),
    );
  }

  private async playbook(variant: Variant, args?: string[]): Promise<number> {
    const seconds = await timed(() => this.ansible.push(variant, args));
    await this.ansible.disconnect();
    return seconds;
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
