import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** A program that runs in a network and a mount namespace of its own. */
export class Daemon {
  /** All it has printed so far. */
  said = "";
  private readonly child: ChildProcess;

  /** @param script its last line replaces the shell by the program, so that this one has the child's pid */
  constructor(script: readonly string[]) {
    this.child = spawn("unshare", ["--net", "--mount", "sh", "-ec", script.join("\n")], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => (this.said += text));
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** What a command prints in the daemon's network. */
  ask(command: string): string {
    const { stdout } = spawnSync("nsenter", [`--net=/proc/${this.child.pid!}/ns/net`, "sh", "-ec", command], {
      encoding: "utf8",
    });
    return stdout;
  }

  /** Its children die with it, or by its hand. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGTERM");
    await ended;
  }
}
