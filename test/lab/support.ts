import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "../../harness/cluster";
import { LAB_PASSPHRASE, ROOT, stackState } from "../../operate/lab/places";
import { exec, type Result } from "../../operate/exec";
import { Stack } from "../../operate/stack";
import { StackFile } from "../../harness/stackFile";

/** The stack that the end-to-end tests build, change and remove, in the lab's project of the same name. */
export const NAME = "test";

export const VIPS = {
  www: { ipv4: "203.0.113.241", ipv6: "2001:db8:46:67bb::1" },
  api: { ipv4: "203.0.113.242", ipv6: "2001:db8:46:67bb::2" },
};
export const CLIENT = { ipv4: "203.0.113.254", ipv6: "2001:db8:46::c" };
export const INTERNAL_VIP = "198.51.100.129";

export const cluster = new Cluster({
  project: "test",
  vips: [VIPS.www, VIPS.api],
  internalVip: INTERNAL_VIP,
  client: CLIENT,
});
export const { lab } = cluster;

/** The stack file of dev, as a checkout has it, moved to the test project's addresses and with a second VIP. */
export function stackFile(checkout = ROOT): StackFile {
  return StackFile.read(join(checkout, "Pulumi.dev.yaml"))
    .set("openstack:cloud", "lab-test")
    .set("external.ipv4", { cidr: "203.0.113.192/26", gateway: "203.0.113.193" })
    .set("external.ipv6", { prefix: "2001:db8:46::/48", gateway: "2001:db8:46::1" })
    .set("external.vipRanges", ["203.0.113.240/29", "2001:db8:46:67bb::/64"])
    .set("internal", { cidr: "198.51.100.128/25", vip: INTERNAL_VIP })
    .set("vips", { www: { ...VIPS.www, primary: true }, api: VIPS.api })
    .set("services.web.vips", ["api", "www"]);
}

/** One of `npm run`'s verbs on the stack, as an operator calls it. */
export function verb(name: string, { options }: Stack, ...args: string[]): Promise<Result> {
  const file = options.configFile === undefined ? [] : ["--config-file", options.configFile];
  return exec(
    process.execPath,
    ["--import", "tsx", join(ROOT, "cli", `${name}.ts`), "--stack", NAME, ...file, ...args],
    {
      cwd: ROOT,
      timeout: 900_000,
      env: {
        ...process.env,
        ...options.environment,
        PULUMI_BACKEND_URL: `file://${stackState(NAME)}`,
        PULUMI_CONFIG_PASSPHRASE: LAB_PASSPHRASE,
      },
    },
  );
}

/**
 * The stack with this configuration; its state outlives an interrupted run, so that the next one can clean up.
 *
 * @param checkout of another version of the program
 */
export async function open(file: StackFile, folder: string, checkout = ROOT): Promise<Stack> {
  const state = stackState(NAME);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  return Stack.open({
    name: NAME,
    checkout,
    configFile: file.write(join(folder, `Pulumi.${NAME}.yaml`)),
    state,
    passphrase: LAB_PASSPHRASE,
    environment: await lab.environment(),
  });
}
