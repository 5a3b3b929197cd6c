import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Cluster } from "../../harness/cluster";
import { LAB_PASSPHRASE, ROOT, stackState } from "../../operate/lab/places";
import { rollOut } from "../../harness/rollout";
import { StackFile } from "../../harness/stackFile";
import { Stack } from "../../operate/stack";
import { encrypted, newKeyPair } from "./certificate";
import { type Change, type Material, type Step, steps, unchanged } from "./steps";
import { events, row, TABLE_HEAD } from "./table";
import { offerVersions } from "./versions";

const USAGE = `usage: npm run bench:rollouts -- [--steps WORD,...] [--rate NUMBER]

Rolls changes out to stack dev of the embedded cloud, one after the other, while clients never stop asking for what existed
before each; then prints what they saw, as a table in markdown. The stack ends as Pulumi.dev.yaml says.

  --steps  only steps whose name contains one of these words
  --rate   new connections a second over each of HTTP and HTTPS, by each family; 100 unless given
`;

const cluster = new Cluster({
  project: "dev",
  vips: [{ ipv4: "203.0.113.180", ipv6: "2001:db8:45:67bb::1" }],
  internalVip: "198.51.100.1",
  client: { ipv4: "203.0.113.190", ipv6: "2001:db8:45::c" },
});

/** Stack dev with one stack file after the other. */
class Dev {
  private constructor(
    private readonly folder: string,
    private readonly material: Material,
    /** Trusts the certificates of every step. */
    readonly caFile: string,
  ) {}

  static async open(folder: string): Promise<Dev> {
    const { certificate, privateKey } = await newKeyPair(folder);
    const scratch = await Dev.stack(stackFile().write(join(folder, "scratch.yaml")));
    const caFile = join(folder, "ca.pem");
    writeFileSync(caFile, `${String(stackFile().get("certificates.www.certificate"))}\n${certificate}`);
    const material: Material = {
      certificate: { certificate, privateKey: await encrypted(scratch, privateKey) },
      versions: await offerVersions(cluster),
    };
    return new Dev(folder, material, caFile);
  }

  /** Opened anew for every change, because each has its own stack file. */
  with(change: Change): Promise<Stack> {
    const file = stackFile();
    change(file, this.material);
    return Dev.stack(file.write(join(this.folder, "Pulumi.dev.yaml")));
  }

  private static async stack(configFile: string): Promise<Stack> {
    const state = stackState("dev");
    mkdirSync(state, { recursive: true, mode: 0o700 });
    const environment = await cluster.lab.environment();
    return Stack.open({ name: "dev", state, passphrase: LAB_PASSPHRASE, environment, configFile });
  }
}

function stackFile(): StackFile {
  return StackFile.read(join(ROOT, "Pulumi.dev.yaml"));
}

async function bench(folder: string, chosen: readonly Step[], perSecond: number): Promise<void> {
  const dev = await Dev.open(folder);
  const rows: string[] = [];
  const notes: string[] = [];
  /** What the cluster is known to be. */
  let current: Change | undefined;
  try {
    for (const { name, families, before, after } of chosen) {
      if (current !== before) await (await dev.with(before)).up();
      console.error(`${name} …`);
      current = undefined;
      const rollout = await rollOut(cluster, await dev.with(after), { families, perSecond, caFile: dev.caFile });
      current = after;
      rows.push(row(name, rollout));
      const happened = events(name, rollout);
      notes.push(...happened);
      console.error([rows.at(-1), ...happened].join("\n"));
    }
  } finally {
    if (current !== unchanged) await (await dev.with(unchanged)).up();
    console.log([TABLE_HEAD, ...rows, "", ...notes].join("\n"));
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      steps: { type: "string", default: "" },
      rate: { type: "string", default: "100" },
      help: { type: "boolean", default: false },
    },
  });
  const perSecond = Number(values.rate);
  const words = values.steps.split(",");
  const chosen = steps.filter(({ name }) => words.some((word) => name.includes(word)));
  if (values.help || !(perSecond > 0) || chosen.length === 0) {
    console.log(`${USAGE}\nsteps:\n${steps.map(({ name }) => `  ${name}\n`).join("")}`);
    if (!values.help) process.exitCode = 2;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "ha-cluster-rollouts-"));
  try {
    await bench(folder, chosen, perSecond);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
