import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Machine, killMachine } from "./machine";
import { may, must } from "./shell";

/** Where sites keep their machines; not /tmp, which may be memory. */
const PLACE = "/var/tmp";
const PREFIX = "ha-cluster-node-test-";

/** Ranges of documentation (RFC 5737, RFC 3849) that the tests' machines use; nothing for them may leave the host. */
const RANGES = ["198.51.100.192/26", "203.0.113.32/27"];

/** Tells the routes that sites made, the last of which removes them: ip-route(8), a number nobody has. */
const ROUTES_MARK = "188";

/** Every systemd holds some; when the host's 128 are used up, the next machine hangs in mid-boot without a word. */
const INOTIFY = "/proc/sys/fs/inotify/max_user_instances";
const INOTIFY_INSTANCES = 1024;

/** The networks of a site: a bridge each, in a namespace of its own without any leg on the host. */
export type Network = "external" | "internal";

/** A few machines on an external and an internal network. */
export class Site {
  readonly machines: Machine[] = [];
  private constructor(
    /** Starts the names of all its namespaces. */
    readonly name: string,
    readonly directory: string,
  ) {}

  static open(): Site {
    clearLeftovers();
    const directory = mkdtempSync(join(PLACE, `${PREFIX}${process.pid}-`));
    const site = new Site(`hant${process.pid}`, directory);
    process.once("exit", () => site.close());
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
    for (const range of RANGES) {
      // Another site may be adding it at this very moment.
      may("ip", "route", "add", "unreachable", range, "proto", ROUTES_MARK);
      if (must("ip", "route", "show", "exact", range).trim() === "") throw new Error(`no route keeps ${range} here`);
    }
    if (Number(readFileSync(INOTIFY, "utf8")) < INOTIFY_INSTANCES) writeFileSync(INOTIFY, `${INOTIFY_INSTANCES}`);
    must("ip", "netns", "add", site.switch);
    for (const bridge of ["external", "internal"]) {
      must("ip", "-n", site.switch, "link", "add", bridge, "type", "bridge");
      must("ip", "-n", site.switch, "link", "set", bridge, "up");
    }
    return site;
  }

  /** Namespace of the bridges. */
  get switch(): string {
    return `${this.name}-switch`;
  }

  /** A namespace with a leg on each of `legs`: eth0, eth1, … */
  addNamespace(name: string, legs: Network[]): string {
    const namespace = `${this.name}-${name}`;
    must("ip", "netns", "add", namespace);
    must("ip", "-n", namespace, "link", "set", "lo", "up");
    legs.forEach((network, index) => {
      const port = `${name}-${index}`;
      must(
        ...["ip", "link", "add", "name", `eth${index}`, "netns", namespace],
        ...["type", "veth", "peer", "name", port, "netns", this.switch],
      );
      must("ip", "-n", this.switch, "link", "set", port, "master", network, "up");
      must("ip", "-n", namespace, "link", "set", `eth${index}`, "up");
    });
    return namespace;
  }

  async boot(name: string, legs: Network[], enabled: string[] = []): Promise<Machine> {
    const devices = legs.map((_, index) => `eth${index}`);
    const machine = new Machine(name, this.addNamespace(name, legs), devices, join(this.directory, name));
    this.machines.push(machine);
    await machine.boot(enabled);
    return machine;
  }

  close(): void {
    for (const machine of this.machines) machine.kill();
    clear(this.directory, this.name);
    if (sites().length === 0) may("ip", "route", "flush", "proto", ROUTES_MARK);
  }
}

/** The folders of all sites on this host. */
function sites(): string[] {
  return readdirSync(PLACE).filter((entry) => entry.startsWith(PREFIX));
}

/** Removes what a run left that was killed itself. */
function clearLeftovers(): void {
  for (const entry of sites()) {
    const pid = entry.slice(PREFIX.length).split("-")[0]!;
    if (existsSync(`/proc/${pid}`)) continue;
    const claimed = join(PLACE, `cleared-${entry}`);
    try {
      for (const machine of readdirSync(join(PLACE, entry))) killMachine(join(PLACE, entry, machine));
      // Another file of tests may be at it at this very moment: whoever renames it has it. Mounts move along.
      renameSync(join(PLACE, entry), claimed);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      continue;
    }
    clear(claimed, `hant${pid}`);
  }
}

function clear(directory: string, name: string): void {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  for (const mount of mounts.map((line) => line.split(" ")[1] ?? "")) {
    if (mount.startsWith(`${directory}/`)) must("umount", "--lazy", mount);
  }
  rmSync(directory, { recursive: true, force: true });
  for (const line of must("ip", "netns", "list").split("\n")) {
    const namespace = line.split(" ")[0]!;
    if (namespace.startsWith(`${name}-`)) may("ip", "netns", "del", namespace);
  }
}
