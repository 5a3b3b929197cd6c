import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../operate/lab/places";
import { exec, run } from "../../operate/exec";
import { type Target, type Targets, writeTree } from "./files";
import { type Variant, vary } from "./variant";

const HERE = join(ROOT, "bench", "push");
const GROUPS = { "load-balancer": "load_balancers", database: "databases", "app-server": "app_servers" } as const;

/** ansible-playbook with everything it needs: its environment, an inventory, SSH's configuration, the files of all variants. */
export class Ansible {
  private constructor(
    private readonly bin: string,
    private readonly folder: string,
    private readonly targets: Targets,
  ) {}

  static async open(targets: Targets, variants: readonly Variant[]): Promise<Ansible> {
    const environment = await run("/usr/bin/python3", ["-m", "cloudlab.install", join(HERE, "requirements.txt")], {
      env: { ...process.env, PYTHONPATH: join(ROOT, "lab") },
    });
    const ansible = new Ansible(join(environment.trim(), "bin"), mkdtempSync(join(tmpdir(), "ha-bench-")), targets);
    ansible.writeSsh();
    for (const variant of variants) ansible.writeVariant(variant);
    return ansible;
  }

  async version(): Promise<string> {
    return (await run(join(this.bin, "ansible-playbook"), ["--version"])).split("\n")[0]!;
  }

  /** Runs the playbook; further arguments as for ansible-playbook. */
  async push(variant: Variant, args: readonly string[] = []): Promise<string> {
    return run(
      join(this.bin, "ansible-playbook"),
      ["--inventory", join(this.folder, variant, "inventory.json"), ...args, join(HERE, "playbook", "site.yml")],
      {
        env: {
          ...process.env,
          ANSIBLE_CONFIG: join(HERE, "playbook", "ansible.cfg"),
          ANSIBLE_HOME: join(this.folder, "home"),
          ANSIBLE_SSH_ARGS: `-F ${join(this.folder, "ssh_config")} -o ControlMaster=auto -o ControlPersist=60s`,
          // Ansible formats it as Python does.
          ANSIBLE_SSH_CONTROL_PATH: this.controlPath().replace("%", "%%"),
          LC_ALL: "C.UTF-8",
        },
      },
    );
  }

  /** Ends the connections that a run leaves open, so that the next one starts as the first did. */
  async disconnect(): Promise<void> {
    for (const { hostname } of this.targets.machines)
      await exec("ssh", ["-F", join(this.folder, "ssh_config"), "-O", "exit", hostname]);
  }

  async close(): Promise<void> {
    await this.disconnect();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private controlPath(): string {
    return join(this.folder, "%C");
  }

  private writeSsh(): void {
    const { clientKey, hostKeys, machines, sshUser } = this.targets;
    const [key, known] = [join(this.folder, "key"), join(this.folder, "known_hosts")];
    writeFileSync(key, clientKey, { mode: 0o600 });
    writeFileSync(known, machines.map(({ hostname }) => `${hostname} ${hostKeys[hostname]!}\n`).join(""));
    const hosts = machines.map(
      (machine) => `Host ${machine.hostname}
  HostName ${machine.address}
  HostKeyAlias ${machine.hostname}
${this.jump(machine)}
`,
    );
    const config = `${hosts.join("")}Host *
  User ${sshUser}
  IdentityFile ${key}
  IdentitiesOnly yes
  UserKnownHostsFile ${known}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ControlMaster auto
  ControlPath ${this.controlPath()}
  ControlPersist 60
`;
    writeFileSync(join(this.folder, "ssh_config"), config, { mode: 0o600 });
  }

  private jump({ role, datacenter }: Target): string {
    if (role === "load-balancer") return "";
    const balancer = this.targets.machines.find(
      (each) => each.role === "load-balancer" && each.datacenter === datacenter,
    );
    return `  ProxyJump ${balancer!.hostname}\n`;
  }

  private writeVariant(variant: Variant): void {
    const folder = join(this.folder, variant);
    const machines = this.targets.machines.map((machine) => ({
      ...machine,
      files: machine.files.map((file) => vary(file, variant)),
    }));
    mkdirSync(folder, { mode: 0o700 });
    writeTree(folder, machines);
    const group = (role: Target["role"]): object => ({
      hosts: Object.fromEntries(
        machines
          .filter((machine) => machine.role === role)
          .map((machine) => [machine.hostname, hostVariables(machine)] as const),
      ),
    });
    const children = Object.fromEntries(
      (Object.keys(GROUPS) as Target["role"][]).map((role) => [GROUPS[role], group(role)] as const),
    );
    const inventory = { all: { vars: { tree: `${folder}/{{ inventory_hostname }}` }, children } };
    writeFileSync(join(folder, "inventory.json"), JSON.stringify(inventory, undefined, 2));
  }
}

/** What differs from release to release of the project, so that the playbook names each file or finds it here. */
function hostVariables({ address, files }: Target): object {
  const below = (folder: string): string[] =>
    files.filter(({ path }) => path.startsWith(folder)).map(({ path }) => path.slice(folder.length));
  const unitFiles = below("/etc/systemd/system/");
  const tables = below("/etc/ha-cluster/").filter(
    (path) => !/^(addresses|relay.*|galera|app\.env|secrets\/.*)$/.test(path),
  );
  return {
    address,
    unit_files: unitFiles,
    units: [...new Set(unitFiles.map((path) => path.replace(/\.d\/.*$/, "")))],
    tables,
    relay: below("/etc/ha-cluster/relay").map((rest) => `relay${rest}`),
  };
}
