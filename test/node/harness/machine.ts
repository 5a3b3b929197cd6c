import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readScripts } from "./bundles";
import { makeCgroup, removeCgroup } from "./cgroup";
import { findImage } from "./image";
import { until } from "../../../operate/poll";
import { type Result, may, must, run } from "./shell";

/** What the tests start by pushes alone; a machine starts with them off unless it says otherwise. */
const DAEMONS = ["keepalived", "haproxy", "mariadb", "nftables", "garb", "cloud-init"];

/** A Debian with its own systemd under systemd-nspawn, in a network namespace. */
export class Machine {
  private process?: ChildProcess;
  private leader = 0;

  constructor(
    readonly name: string,
    readonly namespace: string,
    private readonly legs: string[],
    private readonly directory: string,
  ) {}

  private get root(): string {
    return join(this.directory, "root");
  }

  /** `enabled`: daemons that already run, as after an installation that nobody held back. */
  async boot(enabled: string[]): Promise<void> {
    const [upper, work] = [join(this.directory, "upper"), join(this.directory, "work")];
    for (const path of [upper, work, this.root]) mkdirSync(path, { recursive: true });
    const layers = `lowerdir=${findImage()},upperdir=${upper},workdir=${work},volatile`;
    must("mount", "-t", "overlay", "overlay", "-o", layers, this.root);
    must("chroot", this.root, "systemctl", "-q", "disable", ...DAEMONS);
    if (enabled.length > 0) must("chroot", this.root, "systemctl", "-q", "enable", ...enabled);
    this.write("/etc/cloud/cloud-init.disabled", "");
    for (const [name, text] of Object.entries(readScripts())) this.write(`/opt/ha-cluster/${name}`, text, 0o755);
    this.start();
    await this.reached("multi-user.target");
  }

  private start(): void {
    const console = openSync(join(this.directory, "console"), "a");
    const joins = makeCgroup(this.directory).map((procs) => `echo $$ >${procs}`);
    this.process = spawn(
      "sh",
      [
        ...["-ec", `${joins.join("\n")}\nexec systemd-nspawn "$@"`, "sh"],
        ...["-q", "--register=no", "--keep-unit", "--capability=CAP_NET_ADMIN,CAP_SYS_NICE,CAP_IPC_LOCK"],
        ...[`--network-namespace-path=/run/netns/${this.namespace}`, "-M", this.namespace, `--hostname=${this.name}`],
        ...["--resolv-conf=off", "--timezone=off", "--link-journal=no", "-b", "-D", this.root, "--console=pipe"],
      ],
      {
        stdio: ["ignore", console, console],
        detached: true, // a Ctrl-C is for the tests, which then clear away
        env: { PATH: process.env["PATH"], SYSTEMD_NSPAWN_API_VFS_WRITABLE: "network" },
      },
    );
    writeFileSync(join(this.directory, "pid"), `${this.process.pid}`);
    this.process.unref();
  }

  private async reached(target: string): Promise<void> {
    let words = "";
    const started = async () => {
      this.leader = leaderOf(this.process!.pid!);
      if (this.leader === 0) return false;
      const { text } = await this.run(`systemctl is-active ${target} || systemctl list-jobs`);
      words = text;
      return text === "active\n";
    };
    await until(`${target} reached by ${this.name}`, started, Boolean, { seconds: 30 }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${words}\n${readFileSync(join(this.directory, "console"), "utf8")}`);
    });
  }

  /** As if the plug was pulled. */
  powerOff(): void {
    // First of all: the kernel would say goodbye on behalf of the processes that are killed.
    for (const leg of this.legs) must("ip", "-n", this.namespace, "link", "set", leg, "down");
    this.kill();
    // A machine that starts finds its interfaces bare, and none of its own making.
    for (const leg of this.legs) must("ip", "-n", this.namespace, "addr", "flush", "dev", leg);
    may("ip", "-n", this.namespace, "link", "del", "ha-relay");
    for (const family of ["-4", "-6"]) {
      for (const table of ["6801", "6802"]) {
        may("ip", family, "-n", this.namespace, "rule", "del", "pref", table);
        may("ip", family, "-n", this.namespace, "route", "flush", "table", table);
      }
    }
    must("ip", "netns", "exec", this.namespace, "nft", "flush", "ruleset");
  }

  /** Starts again from its disk; its services may still be starting. */
  async powerOn(): Promise<void> {
    this.start();
    await this.reached("basic.target");
  }

  /** A shell command as root, from outside: quick, with all of the host's rights. */
  run(script: string, input = ""): Promise<Result> {
    return run([...this.enter(), "sh", "-c", script], input);
  }

  /** The same, but must succeed; its output. */
  async output(script: string): Promise<string> {
    const result = await this.run(script);
    if (result.code !== 0) throw new Error(`${this.name}: ${script}: ${result.text}`);
    return result.stdout.trim();
  }

  /** A push as SSH brings it: a child of the machine's own systemd, with a machine's rights only. */
  push(role: string, bundle: "files" | "secrets", text: string): Promise<Result> {
    return this.script(["push.sh", role, bundle], text);
  }

  /** The same of updates, see node/push/patch.sh. */
  patch(role: string, ...words: string[]): Promise<Result> {
    return this.script(["patch.sh", role, ...words]);
  }

  private script([name, ...words]: [name: string, ...words: string[]], input = ""): Promise<Result> {
    const command = ["timeout", "-k", "10", "300", `/opt/ha-cluster/${name}`, ...words];
    return run([...this.enter(), "systemd-run", "-q", "--pipe", "--wait", "--collect", ...command], input, 320);
  }

  private enter(): string[] {
    const environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"];
    return ["nsenter", "-t", `${this.leader}`, "-m", "-u", "-i", "-n", "-p", "--", ...environment];
  }

  /** Before boot only: a running machine is written to from inside. */
  private write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text, { mode });
  }

  kill(): void {
    killMachine(this.directory);
  }
}

/** The machine's own init: the one child of its nspawn process; 0 while there is none. */
function leaderOf(pid: number): number {
  const children = `/proc/${pid}/task/${pid}/children`;
  return existsSync(children) ? Number(readFileSync(children, "utf8").trim().split(" ")[0]) : 0;
}

/** Ends the machine in `directory` by its own pid; nspawn goes with its init. Waits until both are gone. */
export function killMachine(directory: string): void {
  const file = join(directory, "pid");
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8"));
  const commandLine = `/proc/${pid}/cmdline`;
  const ours = () => existsSync(commandLine) && readFileSync(commandLine, "utf8").includes(directory);
  if (ours()) process.kill(leaderOf(pid) || pid, "SIGKILL");
  const deadline = Date.now() + 10_000;
  while (ours() && Date.now() < deadline) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  removeCgroup(directory);
}
