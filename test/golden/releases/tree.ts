import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execFileSync, spawnSync } from "node:child_process";
import { Daemon } from "./daemon";
import { temporaryFolder } from "../../support/folder";

export interface Answer {
  status: number | null;
  said: string;
}

/** A copy of a root file system, to write into and to ask its daemons in. */
export class Tree {
  private readonly folder = temporaryFolder();
  private readonly root = join(this.folder.path, "root");

  constructor(lower: string) {
    const [upper, work] = [join(this.folder.path, "upper"), join(this.folder.path, "work")];
    for (const path of [this.root, upper, work]) mkdirSync(path);
    const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, this.root]);
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text, { mode });
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  /** Where the host sees a file of the copy. */
  locate(path: string): string {
    return join(this.root, path);
  }

  /** Starts a program that stays in the foreground, in a network of its own that `setUp` makes. */
  start(command: string, ...setUp: string[]): Daemon {
    const proc = join(this.root, "proc"); // keepalived reads a copy of its file by /proc/self/fd
    mkdirSync(proc, { recursive: true });
    return new Daemon([
      "ip link set lo up",
      ...setUp,
      `mount --bind /proc ${proc}`,
      `exec chroot ${this.root} ${command}`,
    ]);
  }

  /** Runs a command in the copy, in a network of its own that has the interfaces the files name. */
  ask(command: string): Answer {
    const links = [
      ["eth0", "eth1"],
      ["ens3", "ens4"],
      ["ha-relay", "other"],
    ].map(([one, other]) => `ip link add ${one} type veth peer name ${other}`);
    const script = [...links, `exec chroot ${this.root} ${command}`].join("\n");
    const { status, stdout, stderr } = spawnSync("unshare", ["--net", "sh", "-ec", script], { encoding: "utf8" });
    return { status, said: command.startsWith("mariadbd") ? stderr : stdout + stderr };
  }

  remove(): void {
    execFileSync("umount", [this.root]);
    this.folder.remove();
  }
}
