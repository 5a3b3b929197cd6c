import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { Deployed } from "../change/deployed";
import { readState } from "../change/state";
import { type ExecOptions, exec, type Result, run } from "./exec";

export interface StackOptions {
  name: string;
  /** The folder of the program, for another version of it than this one. */
  checkout?: string;
  /** The stack's configuration; `Pulumi.<name>.yaml` in the checkout unless given. */
  configFile?: string;
  /** Folder that keeps the state; where the user's own environment says unless given. */
  state?: string;
  /** The user's own environment has it unless given. */
  passphrase?: string;
  /** What the cloud needs beside the user's own environment, e.g. OS_CLIENT_CONFIG_FILE. */
  environment?: Record<string, string>;
}

const ROOT = join(__dirname, "..");

/** One stack, driven by the command line that every user of Pulumi knows. */
export class Stack {
  private constructor(
    readonly options: StackOptions,
    readonly env: NodeJS.ProcessEnv,
  ) {}

  static async open(options: StackOptions): Promise<Stack> {
    const stack = new Stack(options, await environment(options));
    const file = join(options.checkout ?? ROOT, `Pulumi.${options.name}.yaml`);
    const found = existsSync(file);
    await stack.must(["stack", "select", "--create", options.name]);
    // A new stack gets a file in the checkout, also where its configuration is elsewhere.
    if (!found) rmSync(file, { force: true });
    return stack;
  }

  /** A stack that was made before, the selected one unless named. It neither makes nor selects one. */
  static async existing(options: Omit<StackOptions, "name"> & { name?: string }): Promise<Stack> {
    const env = await environment(options);
    const name = options.name ?? (await run("pulumi", ["stack", "--show-name"], { cwd: ROOT, env })).trim();
    return new Stack({ ...options, name }, env);
  }

  /** Any command of pulumi on this stack; the exit code is the caller's to judge. */
  pulumi(args: readonly string[], options: ExecOptions = {}): Promise<Result> {
    return exec("pulumi", [...args, "--non-interactive"], { ...this.place, ...options });
  }

  up(args: readonly string[] = [], options: ExecOptions = {}): Promise<string> {
    return this.must(["up", "--yes", "--skip-preview", ...this.select(), ...args], options);
  }

  preview(args: readonly string[] = [], options: ExecOptions = {}): Promise<Result> {
    return this.pulumi(["preview", ...this.select(), ...args], options);
  }

  destroy(options: ExecOptions = {}): Promise<string> {
    return this.must(["destroy", "--yes", "--skip-preview", ...this.select()], options);
  }

  async outputs<T>({ secrets = false } = {}): Promise<T> {
    const args = ["stack", "output", "--json", "--stack", this.options.name, ...(secrets ? ["--show-secrets"] : [])];
    return JSON.parse(await this.must(args)) as T;
  }

  /** The `ha-cluster:*` configuration without the namespace, secrets in the clear, as the program itself reads it. */
  async config(): Promise<Record<string, unknown>> {
    const args = ["config", "--json", "--show-secrets", ...this.select()];
    const all = JSON.parse(await this.must(args)) as Record<string, { value: string; objectValue?: unknown }>;
    return Object.fromEntries(
      Object.entries(all).flatMap(([key, { value, objectValue }]) =>
        key.startsWith("ha-cluster:") ? [[key.slice("ha-cluster:".length), objectValue ?? value]] : [],
      ),
    );
  }

  /** What stands, as the state has it; no secret is read. */
  deployed(): Promise<Deployed> {
    return readState(this.options.name, this.place);
  }

  /** Runs a command of pulumi that must succeed. */
  must(args: readonly string[], options: ExecOptions = {}): Promise<string> {
    return run("pulumi", [...args, "--non-interactive"], { ...this.place, ...options });
  }

  private get place(): ExecOptions {
    const orderly = `pulumi, which ends what it has begun: minutes, if a server boots. A second Ctrl-C leaves that in the cloud; then: npm run recover -- run --stack ${this.options.name}`;
    return { cwd: this.options.checkout ?? ROOT, env: this.env, timeout: 1_200_000, orderly };
  }

  private select(): string[] {
    const { name, configFile } = this.options;
    return ["--stack", name, ...(configFile === undefined ? [] : ["--config-file", configFile])];
  }
}

/** Where pulumi is, as toolchain/env.sh says it to a shell; then what the stack needs. */
async function environment(options: Omit<StackOptions, "name">): Promise<NodeJS.ProcessEnv> {
  const shell = `eval "$(${join(ROOT, "toolchain", "env.sh")})" && env -0`;
  const variables = (await run("bash", ["-c", shell])).split("\0").filter((line) => line.includes("="));
  const toolchain = Object.fromEntries(
    variables.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  return {
    ...toolchain,
    ...options.environment,
    ...(options.state === undefined ? {} : { PULUMI_BACKEND_URL: `file://${options.state}` }),
    ...(options.passphrase === undefined ? {} : { PULUMI_CONFIG_PASSPHRASE: options.passphrase }),
  };
}
