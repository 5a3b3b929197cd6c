import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Description } from "../plan/describe";
import { exec, type Result, run } from "./exec";
import type { Stack } from "./stack";

/** What the program exports; see index.ts. */
export interface Outputs extends Description {
  sshPrivateKey: string;
  sshKnownHosts: string[];
}

export interface ScriptOptions {
  /** What the script reads on its standard input. */
  input?: string;
  /** Until the script is given up; 60 unless given. */
  seconds?: number;
  /** Called with everything as it is printed. */
  echo?: (text: string) => void;
  /** A load balancer to jump by instead of the usual one. */
  by?: string;
}

/**
 * The machines of a cluster that was built, reached as its outputs tell an operator to: host keys are always verified, and
 * servers behind a load balancer are reached by way of it.
 *
 * One connection per machine is kept open until {@link close}.
 */
export class Fleet {
  private constructor(
    readonly outputs: Outputs,
    /** Holds the private key, readable by its owner alone. */
    private readonly folder: string,
    private readonly ownSession: boolean,
  ) {}

  static async open(stack: Stack): Promise<Fleet> {
    const outputs = await stack.outputs<Partial<Outputs>>({ secrets: true });
    if (outputs.servers === undefined)
      throw new Error(`stack ${stack.options.name} has no outputs yet: pulumi up builds its cluster`);
    return Fleet.of(outputs as Outputs);
  }

  /**
   * Also for machines of a stack that has no outputs yet, from what its plan says.
   *
   * @param ownSession whether what runs on the machines goes on after a Ctrl-C, for a caller who waits for its end
   */
  static of(outputs: Outputs, { ownSession = false } = {}): Fleet {
    const fleet = new Fleet(outputs, mkdtempSync(join(tmpdir(), "ha-cluster-fleet-")), ownSession);
    fleet.writeClientConfig();
    return fleet;
  }

  /** Names of all machines, or of those with one role, in order. */
  names(role?: string): string[] {
    const servers = Object.entries(this.outputs.servers);
    return servers.filter(([, server]) => role === undefined || server.role === role).map(([name]) => name);
  }

  /** Runs a script as root on a machine; what it ends with is the caller's to judge (255: not reached). */
  run(name: string, script: string, { input = "", seconds = 60, echo, by }: ScriptOptions = {}): Promise<Result> {
    const args = [...this.sshArguments(name, by), `sudo -n sh -c ${quote(script)}`];
    const { ownSession } = this;
    return exec("ssh", args, { input, timeout: seconds * 1000, ownSession, ...(echo ? { echo } : {}) });
  }

  /** The same, for what must succeed. */
  must(name: string, script: string, { input = "", seconds = 60 }: ScriptOptions = {}): Promise<string> {
    const args = [...this.sshArguments(name), `sudo -n sh -c ${quote(script)}`];
    return run("ssh", args, { input, timeout: seconds * 1000 });
  }

  /** The machine by way of which another one is reached; none for one that is reached itself, or by a host that is not ours. */
  jump(name: string): string | undefined {
    const words = (this.outputs.ssh[name] ?? "").split(" ");
    const host = words[words.indexOf("-J") + 1];
    if (!words.includes("-J")) return undefined;
    return Object.keys(this.outputs.ssh).find((each) => this.outputs.ssh[each] === `ssh ${host}`);
  }

  async close(): Promise<void> {
    const names = Object.keys(this.outputs.ssh);
    await Promise.all(names.map((name) => exec("ssh", ["-O", "exit", ...this.sshArguments(name)])));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private sshArguments(name: string, by?: string): string[] {
    const command = this.outputs.ssh[name];
    if (command === undefined) throw new Error(`no machine ${name}; there are ${this.names().join(", ")}`);
    const words = command.split(" ").slice(1);
    if (by !== undefined) words[words.indexOf("-J") + 1] = this.outputs.ssh[by]!.split(" ").at(-1)!;
    return ["-F", join(this.folder, "config"), ...words];
  }

  private writeClientConfig(): void {
    const { sshPrivateKey, sshKnownHosts } = this.outputs;
    const key = join(this.folder, "key");
    const known = join(this.folder, "known_hosts");
    writeFileSync(key, sshPrivateKey, { mode: 0o600 });
    writeFileSync(known, `${sshKnownHosts.join("\n")}\n`, { mode: 0o600 });
    // ssh hands the file on to the jump host's connection (-J), command line options it does not.
    const config = `Host *
  IdentityFile ${key}
  IdentitiesOnly yes
  UserKnownHostsFile ${known}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
  LogLevel ERROR
  ConnectTimeout 5
  ServerAliveInterval 2
  ServerAliveCountMax 3
  ControlMaster auto
  ControlPath ${join(this.folder, "%C")}
  ControlPersist 60
`;
    writeFileSync(join(this.folder, "config"), config, { mode: 0o600 });
  }
}

/** One word for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
