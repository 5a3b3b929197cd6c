import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Lab } from "../operate/lab/lab";
import { LAB_PASSPHRASE, ROOT, stackState } from "../operate/lab/places";
import { labSetting } from "../harness/setting";
import { StackFile } from "../harness/stackFile";
import { faultByName, faults } from "../operate/faults";
import { conduct } from "../operate/measure/conduct";
import { judge } from "../operate/measure/judge";
import { protocolLimit } from "../operate/measure/promises";
import { Stack } from "../operate/stack";
import { failoverTable, type Measured } from "./failoverTable";

const USAGE = `npm run bench:failover -- [--runs N] [--advert SECONDS,…] [--fault NAME,…] [--hold SECONDS] [--rate N] [--records DIR]
Every fault on stack dev of the embedded cloud, and what each costs, as Markdown.
  --runs N           how often each; 3 unless given
  --advert LIST      values of vrrp.advertInterval; what the stack has unless given. The stack is set back at the end
  --fault LIST       these only; "nothing" is in it to see whether VIPs move by themselves
  --hold SECONDS     for how long a fault lasts; 10 unless given
  --rate N           new connections a second to each address; 50 unless given
  --records DIR      also keeps everything seen of each run there, as JSON`;

const STACK_FILE = join(ROOT, "Pulumi.dev.yaml");

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "3" },
      advert: { type: "string" },
      fault: { type: "string", default: faults.map(({ name }) => name).join() },
      hold: { type: "string", default: "10" },
      rate: { type: "string", default: "50" },
      records: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const names = values.fault.split(",").map((name) => faultByName(name).name);
  const lab = new Lab("dev");
  const folder = mkdtempSync(join(tmpdir(), "ha-cluster-failover-"));
  const options = { name: "dev", state: stackState("dev"), passphrase: LAB_PASSPHRASE };
  const environment = await lab.environment();
  const intervals = values.advert?.split(",").map(Number) ?? [undefined];
  try {
    for (const interval of intervals) {
      const configFile = interval === undefined ? STACK_FILE : join(folder, "Pulumi.dev.yaml");
      if (interval !== undefined) StackFile.read(STACK_FILE).set("vrrp.advertInterval", interval).write(configFile);
      const stack = await Stack.open({ ...options, configFile, environment });
      if (interval !== undefined) await stack.up();
      await round(stack, configFile, names, {
        ...{ lab, folder, runs: Number(values.runs), hold: Number(values.hold), rate: Number(values.rate) },
        ...(values.records === undefined ? {} : { records: values.records }),
      });
    }
  } finally {
    if (values.advert !== undefined) await (await Stack.open({ ...options, environment })).up();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface RoundOptions {
  lab: Lab;
  folder: string;
  runs: number;
  hold: number;
  rate: number;
  records?: string;
}

/** All faults in turn, as often as asked for; prints the table of it, also of the part before an error. */
async function round(stack: Stack, configFile: string, names: readonly string[], options: RoundOptions): Promise<void> {
  const { lab, folder, runs, hold, rate, records } = options;
  const setting = await labSetting(stack, lab, configFile, folder);
  const measured: Measured[] = [];
  try {
    for (let run = 1; run <= runs; run++)
      for (const name of names) {
        const trial = await conduct({ ...setting, hold, perSecond: rate }, faultByName(name));
        const { record, after } = trial;
        const figures = judge(record);
        measured.push({ fault: name, figures, lag: record.lag, problems: after.problems });
        console.error(
          `run ${run} ${name}: ${figures.ipv4?.longest} / ${figures.ipv6?.longest} ms ${after.problems.join(", ")}`,
        );
        if (records === undefined) continue;
        mkdirSync(records, { recursive: true });
        writeFileSync(join(records, `${setting.advertInterval}-${name}-${run}.json`), JSON.stringify(trial));
      }
  } finally {
    await setting.fleet.close();
    const limit = Math.round(protocolLimit(setting.advertInterval));
    console.log(
      `advertInterval ${setting.advertInterval} s: the last backup takes over after ${limit} ms at the latest\n`,
    );
    console.log(`${failoverTable(measured)}\n`);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
