import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { verb } from "../../cli/verb";
import { Cluster, type Family } from "../cluster";
import { fromClient } from "../http";
import { clientCommand } from "../../operate/lab/lab";
import { LAB_PASSPHRASE, ROOT, stackState } from "../../operate/lab/places";
import { until } from "../../operate/poll";
import { Stack } from "../../operate/stack";
import { gapsByUrl } from "../../operate/traffic/gap";
import { Traffic } from "../../operate/traffic/traffic";
import { StackFile } from "../stackFile";
import { OtherCloud } from "../../recover/decide";
import { recover } from "../../recover/run";
import { Steps } from "./steps";

const BOTH: Family[] = ["ipv4", "ipv6"];
const STACK_FILE = join(ROOT, "Pulumi.dev.yaml");
const VIP = { ipv4: "203.0.113.180", ipv6: "2001:db8:45:67bb::1" };

const cluster = new Cluster({
  project: "dev",
  vips: [VIP],
  internalVip: "198.51.100.1",
  client: { ipv4: "203.0.113.190", ipv6: "2001:db8:45::c" },
});
const { lab } = cluster;

/** Builds stack dev on IPv4, adds IPv6, proves every claim, and fails over; the cluster stays. */
async function demo(folder: string): Promise<void> {
  const steps = new Steps();
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, certificate());
  const before = await open(StackFile.read(STACK_FILE).withoutIpv6().write(join(folder, "Pulumi.dev.yaml")));
  const after = await open();

  await removeLeftovers(steps, after);
  await steps.run("pulumi up: the cluster on IPv4", async () => resources(await before.up()));
  await steps.look("openstack server list", servers);
  await prove(steps, ["ipv4"], caFile);

  await steps.run("pulumi preview --diff: what adding IPv6 will change", async () => {
    const { code, stdout } = await after.preview(["--diff"]);
    if (code !== 0) throw new Error(stdout);
    return changes(stdout);
  });
  await steps.run("pulumi up: IPv6", async () => resources(await after.up()));
  await prove(steps, BOTH, caFile);
  await steps.run("pulumi up: nothing to do", async () => resources(await after.up(["--expect-no-changes"])));
  await steps.run("an allowed address pair removed, and restored by pulumi up --refresh", () => pair(after));
  await steps.run("the active load balancer loses its power, and gets it back", failover);

  steps.summary();
  console.log(`
The cluster is running.
  eval "$(npm run --silent env)"                 pulumi, its stack dev and the cloud, for this shell
  pulumi stack output                            addresses, URLs, listeners, how to log in
  npm run lab -- client curl http://${VIP.ipv4}/  as the internet sees it
  npm run lab -- ssh dev-lb-dc1                  a root shell on a machine
  npm run lab -- status                          the cloud and its machines
To remove it:
  pulumi state unprotect --all --stack dev && pulumi destroy --stack dev   the cluster
  npm run lab -- down --wipe                     the cloud, with everything in it
`);
}

async function open(configFile?: string): Promise<Stack> {
  const state = stackState("dev");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  return Stack.open({
    name: "dev",
    state,
    passphrase: LAB_PASSPHRASE,
    environment: await lab.environment(),
    ...(configFile === undefined ? {} : { configFile }),
  });
}

async function removeLeftovers(steps: Steps, stack: Stack): Promise<void> {
  const found: string[] = [];
  await recover(stack, { unlock: false, say: (line) => found.push(line) }).catch((error: unknown) => {
    // The lab may have been wiped since, with all that could be known again.
    if (!(error instanceof OtherCloud)) throw error;
  });
  if (found.length > 0)
    await steps.run("what a demo left that was cut is known again", () => Promise.resolve(found.join("\n")));
  const { deployment } = JSON.parse(await stack.must(["stack", "export", "--stack", "dev"])) as {
    deployment: { resources?: unknown[] };
  };
  if ((deployment.resources ?? []).length === 0) return;
  await steps.run("pulumi destroy: the cluster of an earlier demo", async () => {
    await stack.must(["state", "unprotect", "--all", "--yes", "--stack", "dev"]);
    return resources(await stack.destroy());
  });
}

async function prove(steps: Steps, families: Family[], caFile: string): Promise<void> {
  for (const { url, family } of cluster.urls(families)) {
    await steps.look(`${url}: all three application servers answer, and see the client`, () =>
      cluster.answeredByAll(url, family, caFile),
    );
  }
  await steps.look("haproxy listens on every VIP everywhere, ip_nonlocal_bind is 0", () =>
    cluster.listensEverywhere(families),
  );
  await steps.look("all VIPs and the gateway are on one load balancer", () =>
    cluster.master(cluster.addresses(families)),
  );
  await steps.look("a row written through one datacenter is read through another", async () => {
    const { written, read } = await cluster.rowAcrossDatacenters(`demo-${families.join("-")}`);
    return `written in ${written}, read in ${read}`;
  });
}

async function servers(): Promise<string> {
  const list = await lab.openstack<Record<"Name" | "Status" | "Availability Zone", string>[]>(
    "server",
    "list",
    "--long",
  );
  if (list.length !== 9) throw new Error(`there are ${list.length} servers, not 9`);
  return list
    .map((each) => `${each["Availability Zone"]}  ${each.Name.padEnd(14)} ${each.Status}`)
    .sort()
    .join("\n");
}

async function pair(stack: Stack): Promise<string> {
  const url = cluster.url("ipv6", "/healthz");
  const answers = (): Promise<boolean> =>
    fromClient(lab, url).then(
      ({ status }) => status === 200,
      () => false,
    );
  for (const name of cluster.loadBalancers) {
    await lab.openstackDo(
      "port",
      "set",
      "--no-allowed-address",
      "--allowed-address",
      `ip-address=${VIP.ipv4}`,
      `${name}-external`,
    );
  }
  await until(`${VIP.ipv6} to be out of reach`, answers, (yes) => !yes);
  await stack.up(["--refresh"]);
  await until(`${VIP.ipv6} to be back`, answers, Boolean);
  return `${VIP.ipv6} was out of reach without its pair`;
}

async function failover(): Promise<string> {
  const addresses = cluster.addresses(BOTH);
  const lost = await cluster.master(addresses);
  const targets = BOTH.map((family) => ({ url: cluster.url(family, "/healthz") }));
  const traffic = Traffic.start(targets, { perSecond: 100, via: clientCommand });
  let heir: string;
  try {
    await until("a steady flow of answers", () => Promise.resolve(traffic.steady(100)), Boolean);
    await lab.power(lost, "off");
    heir = await cluster.master(addresses);
    await lab.power(lost, "on");
    await cluster.backup(lost);
    await until("a steady flow of answers", () => Promise.resolve(traffic.steady(200)), Boolean);
  } finally {
    if ((await lab.ssh(lost, "true")).code !== 0) await lab.power(lost, "on");
  }
  const still = await cluster.master(addresses);
  if (still !== heir) throw new Error(`the VIPs moved again, from ${heir} to ${still}`);
  const gaps = [...gapsByUrl(await traffic.stop())].map(
    ([url, gap]) => `${url}: gap ${gap.longest} ms, ${gap.failed} of ${gap.sent} new connections failed`,
  );
  return [`${lost} → ${heir}, and nothing moved when ${lost} came back`, ...gaps].join("\n");
}

/** The counts at the end of what `pulumi up` prints. */
function resources(output: string): string {
  return (
    /Resources:\n([\s\S]*?)\n\n/
      .exec(output)?.[1]
      ?.trim()
      .replace(/\s*\n\s*/g, ", ") ?? ""
  );
}

/** Of a preview, the resources that change, by name, and the lines that they gain or lose. */
function changes(preview: string): string {
  const shown: string[] = [];
  for (const line of preview.split("\n")) {
    const name = /\[urn=.*::([^:\]]+)\]/.exec(line)?.[1];
    const header = /^\s*([+~-]) \S+: \((\w+)\)$/.exec(line);
    // How the state writes a list's elements is no change of the cloud's.
    const noise = /__defaults: \[\]|macAddress: ""|~ \[\d+\]: \{$/.test(line);
    if (header) shown.push(`${header[1]!} (${header[2]!})`);
    else if (name !== undefined && shown.at(-1)?.endsWith(")")) shown.push(`${shown.pop()!} ${name}`);
    else if (/^\s*[+~-]/.test(line) && !noise) shown.push(line);
  }
  return shown.join("\n");
}

function certificate(): string {
  const { config } = parse(readFileSync(STACK_FILE, "utf8")) as {
    config: { "ha-cluster:certificates": { www: { certificate: string } } };
  };
  return config["ha-cluster:certificates"].www.certificate;
}

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "ha-cluster-demo-"));
  try {
    await demo(folder);
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void verb(main, 1);
