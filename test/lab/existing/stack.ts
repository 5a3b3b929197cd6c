import { readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { stringify } from "yaml";
import { LAB_PASSPHRASE, ROOT } from "../../../operate/lab/places";
import { StackFile } from "../../../harness/stackFile";
import { exec, type Result } from "../../../operate/exec";
import { Stack } from "../../../operate/stack";
import { INTERNAL_VIP, lab } from "../support";
import { CERTIFICATE, HIDDEN, HOSTS, PRIVATE_KEY, USER, VIP, VRRP_PASSWORD } from "./hosts";

export const NAME = "existing";

/** The stack of hosts that somebody else built, before and after the IPv6 rollout. */
export interface ExistingStack {
  ipv4: Stack;
  ipv6: Stack;
  /** What only secret places may hold; of keys, a line from their middle. */
  secrets: string[];
}

/**
 * Writes the stack file as an operator would: in the clear what docs/examples/Pulumi.existing.yaml has in the clear, the
 * secrets by `pulumi config set --secret`.
 *
 * @param folder takes file and state
 * @param keyFile private key that logs in to the hosts
 */
export async function openExisting(folder: string, keyFile: string): Promise<ExistingStack> {
  const path = join(folder, `Pulumi.${NAME}.yaml`);
  writeFileSync(path, stringify({ config: namespaced(await inTheClear()) }), { mode: 0o600 });
  // Without OS_CLOUD: with these hosts no cloud is asked.
  const options = { name: NAME, state: folder, passphrase: LAB_PASSPHRASE };
  const ipv4 = await Stack.open({ ...options, configFile: path });
  const secrets = {
    rootSecret: randomBytes(33).toString("base64"),
    "machines.privateKey": readFileSync(keyFile, "utf8"),
    "vrrp.password": VRRP_PASSWORD,
    "certificates.www.privateKey": PRIVATE_KEY,
  };
  for (const [key, value] of Object.entries(secrets)) {
    const where = ["--path", `ha-cluster:${key}`, "--stack", NAME, "--config-file", path];
    await ipv4.must(["config", "set", "--secret", ...where], { input: value });
  }
  const middle = (key: string): string => key.trim().split("\n")[2] ?? key;
  return {
    ipv4,
    ipv6: await Stack.existing({ ...options, configFile: withIpv6(path).write(join(folder, "ipv6.yaml")) }),
    secrets: Object.values(secrets).map(middle),
  };
}

/** The rollout is these lines; see docs/roll-out-ipv6.md. */
function withIpv6(path: string): StackFile {
  const file = StackFile.read(path)
    .set("external.ipv6", { prefix: "2001:db8:46::/48", gateway: "2001:db8:46::1" })
    .set("external.vipRanges", ["203.0.113.240/29", "2001:db8:46:67bb::/64"])
    .set("vips.www.ipv6", VIP.ipv6);
  for (const { datacenter, external } of HOSTS) {
    file.set(`machines.loadBalancers.${datacenter}.external.ipv6`, external.ipv6);
  }
  return file;
}

async function inTheClear(): Promise<Record<string, unknown>> {
  const [first] = HOSTS as [(typeof HOSTS)[number]];
  const keys = await Promise.all(HOSTS.map(({ name }) => lab.on(name, "cat /etc/ssh/ssh_host_ed25519_key.pub")));
  const hostKeys = keys.map((line) => line.split(" ").slice(0, 2).join(" ").trim());
  const hosts = HOSTS.map((host, index) => {
    const { name: hostname, datacenter, external, internal } = host;
    const jump = { host: first.external.ipv4, user: USER, hostKey: hostKeys[0] };
    return [
      datacenter,
      {
        ...{ hostname, release: "debian-12", external: { ipv4: external.ipv4 }, internal },
        ...{ user: USER, hostKey: hostKeys[index] },
        ...(host === HIDDEN && { address: internal, jump }),
      },
    ];
  });
  return {
    customer: "acme",
    datacenters: { dc1: {}, dc2: {}, dc3: {} },
    machines: { source: "existing", loadBalancers: Object.fromEntries(hosts) as unknown },
    external: { ipv4: { cidr: "203.0.113.192/26", gateway: "203.0.113.193" }, vipRanges: ["203.0.113.240/29"] },
    internal: { cidr: "198.51.100.128/25", vip: INTERNAL_VIP },
    vips: { www: { ipv4: VIP.ipv4 } },
    vrrp: { advertInterval: 1, routerIds: { ipv4: 12, ipv6: 14, internal: 13 }, transport: "multicast" },
    services: { web: { vips: ["www"], http: 80, https: 443, certificate: "www", servers: "app", healthCheck: "/" } },
    appServers: { app: { port: 8080, addresses: HOSTS.map(({ internal }) => internal) } },
    certificates: { www: { certificate: CERTIFICATE } },
  };
}

function namespaced(config: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [`ha-cluster:${key}`, value]));
}

/** A command of cli/ on the stack, as npm runs it. */
export function cli(command: "preflight" | "verify", { options }: Stack, ...more: string[]): Promise<Result> {
  const stack = ["--stack", NAME, "--config-file", options.configFile!];
  return exec(process.execPath, ["--import", "tsx", join("cli", `${command}.ts`), ...stack, ...more], {
    cwd: ROOT,
    env: {
      ...process.env,
      PULUMI_BACKEND_URL: `file://${options.state}`,
      PULUMI_CONFIG_PASSPHRASE: LAB_PASSPHRASE,
    },
  });
}
