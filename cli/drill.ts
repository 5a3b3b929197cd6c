import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { readStackFile } from "../config/file";
import { formatProblems } from "../config/problems";
import { page } from "../drill/page";
import { rows } from "../drill/rows";
import { timeline } from "../drill/timeline";
import { labCloud } from "../operate/lab/cloud";
import { clientCommand, Lab } from "../operate/lab/lab";
import { LAB_PASSPHRASE, ROOT, stackState } from "../operate/lab/places";
import { faultByName, faults } from "../operate/faults";
import { type Cloud, OpenStack } from "../operate/faults/cloud";
import { Fleet } from "../operate/fleet";
import { answerWith, interruption, unlessInterrupted } from "../operate/interruption";
import { conduct, Sick } from "../operate/measure/conduct";
import { healthOf } from "../operate/measure/health";
import { judge } from "../operate/measure/judge";
import { promises } from "../operate/measure/promises";
import { targetsOf, vipsOf } from "../operate/measure/targets";
import { Stack } from "../operate/stack";
import type { TrafficOptions } from "../operate/traffic/traffic";
import { load } from "../plan/load";
import type { Plan } from "../plan/plan";
import { agreed } from "./agreed";
import { verb } from "./verb";

const USAGE = `npm run drill -- [--stack NAME] [--fault NAME] [--from COMMAND] [--out DIR] [--hold SECONDS] [--yes]
Fails over on purpose, measures what it costs, puts everything back, and draws it.
  --stack NAME     the stack; the selected one unless given
  --fault NAME     what to do; planned (a planned handover) unless given
  --from COMMAND   words put before the command that plays the clients, to run it elsewhere, e.g. "ip netns exec outside";
                   unless given it runs here, or for a stack in the embedded cloud where that has its clients
  --out DIR        where the pictures go; here unless given
  --hold SECONDS   for how long the fault lasts; 10 unless given
  --rate NUMBER    new connections a second to each address; 50 unless given
  --yes            does not ask
  --list           says which faults there are
Exit code 0: what was promised held. 1: it did not, or the cluster was not healthy before. 2: wrong usage.`;

const OPTIONS = {
  stack: { type: "string" },
  fault: { type: "string", default: "planned" },
  from: { type: "string" },
  out: { type: "string", default: "." },
  hold: { type: "string", default: "10" },
  rate: { type: "string", default: "50" },
  yes: { type: "boolean", default: false },
  list: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

async function main(): Promise<number> {
  let values: Values;
  try {
    values = parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const [hold, rate] = [Number(values.hold), Number(values.rate)];
  if (values.help) return say(USAGE, 0);
  if (values.list) return say(faults.map(({ name, does }) => `${name.padEnd(20)}${does}`).join("\n"), 0);
  if (!faults.some(({ name }) => name === values.fault) || !(hold >= 1) || !(rate >= 1)) return say(USAGE, 2);

  const name = values.stack ?? selectedStack();
  const { plan, cloudName } = readStack(name);
  const lab = inLab(cloudName);
  const folder = mkdtempSync(join(tmpdir(), "ha-cluster-drill-"));
  const stack = await openStack(name, lab);
  const fleet = await Fleet.open(stack);
  try {
    return await drill({ name, plan, lab, cloudName, fleet, folder, values, hold, rate });
  } finally {
    await fleet.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Circumstances {
  name: string;
  plan: Plan;
  lab: Lab | undefined;
  cloudName: string | undefined;
  fleet: Fleet;
  folder: string;
  values: Values;
  hold: number;
  rate: number;
}

async function drill({
  name,
  plan,
  lab,
  cloudName,
  fleet,
  folder,
  values,
  hold,
  rate,
}: Circumstances): Promise<number> {
  const fault = faultByName(values.fault);
  const vips = vipsOf(plan);
  const { active, problems } = await unlessInterrupted(healthOf(fleet, vips));
  if (active === undefined || problems.length > 0) throw new Sick(problems);
  const hit = fault.hits({ fleet, active });
  console.log(`Stack ${name} is healthy; ${active} is active.
For ${hold} s, ${fault.does}.
It meets ${hit.join(", ")}; afterwards everything is put back, also after Ctrl-C.`);
  if (!values.yes && !(await agreed("Go on? [y/N] "))) return say("Nothing was done.", 1);

  const cloud = fault.needs === "cloud" ? await cloudOf(lab, cloudName) : undefined;
  const wait = (): void => console.log("\nending it: wait until it is put back");
  answerWith({ first: wait, later: wait });
  const trial = await conduct(
    {
      ...{ fleet, vips, hold, perSecond: rate, signal: interruption },
      targets: targetsOf(plan, folder),
      pings: [plan.external.ipv4.gateway, plan.internal.vip],
      say: (text) => console.log(text),
      ...(cloud === undefined ? {} : { cloud }),
      ...via(values.from, lab),
    },
    fault,
  );
  const figures = judge(trial.record);
  const advertInterval = plan.loadBalancers[0]!.syncGroup.instances[0]!.advertInterval;
  const pledges = promises(trial, figures, advertInterval, 1000 / rate);
  const date = new Date(trial.record.began).toISOString().slice(0, 16).replace("T", " ");
  const report = { stack: name, date: `${date} UTC`, trial, figures, pledges, advertInterval };

  for (const { what, value, meaning } of rows(figures))
    console.log(`${what.padEnd(18)}${value.padStart(14)}   ${meaning}`);
  for (const { text, held } of pledges) console.log(`${held ? "held    " : "NOT HELD"}  ${text}`);
  for (const problem of trial.after.problems) console.log(`not as before: ${problem}`);
  const base = join(resolve(values.out), `drill-${date.replace(/[: ]/g, "-")}-${fault.name}`);
  mkdirSync(values.out, { recursive: true });
  writeFileSync(`${base}.svg`, timeline(trial.record));
  writeFileSync(`${base}.html`, page({ ...report, servers: fleet.outputs.servers }));
  console.log(`${base}.svg\n${base}.html`);
  return pledges.every(({ held }) => held) ? 0 : 1;
}

/** The stack's plan, and the name of its cloud in clouds.yaml. */
function readStack(name: string): { plan: Plan; cloudName: string | undefined } {
  const file = join(ROOT, `Pulumi.${name}.yaml`);
  const { raw, problems: unreadable } = readStackFile(file);
  const { plan, problems } = unreadable.length > 0 ? { problems: unreadable } : load(raw, name, new Date());
  if (!plan) throw new Error(formatProblems(problems, file));
  const { config } = parse(readFileSync(file, "utf8")) as { config?: { "openstack:cloud"?: unknown } };
  const cloud = config?.["openstack:cloud"];
  return { plan, cloudName: typeof cloud === "string" ? cloud : undefined };
}

/** The embedded cloud's projects are called so in the clouds.yaml that it writes. */
function inLab(cloudName: string | undefined): Lab | undefined {
  const project = /^lab-(dev|test)$/.exec(cloudName ?? "")?.[1] as "dev" | "test" | undefined;
  return project === undefined ? undefined : new Lab(project);
}

/** The user's own environment decides; the embedded cloud's stacks are known without. */
async function openStack(name: string, lab: Lab | undefined): Promise<Stack> {
  if (!lab || process.env.PULUMI_BACKEND_URL !== undefined) return Stack.open({ name });
  const environment = await lab.environment();
  return Stack.open({ name, state: stackState(name), passphrase: LAB_PASSPHRASE, environment });
}

function selectedStack(): string {
  const script = `eval "$('${join(ROOT, "toolchain", "env.sh")}')" && pulumi stack --show-name --non-interactive`;
  try {
    return execFileSync("bash", ["-c", script], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    throw new Error("no stack is selected: give --stack NAME, or run pulumi stack select");
  }
}

function cloudOf(lab: Lab | undefined, cloudName: string | undefined): Promise<Cloud> {
  if (lab) return labCloud(lab);
  return OpenStack.open(["openstack"], { ...process.env, ...(cloudName === undefined ? {} : { OS_CLOUD: cloudName }) });
}

function via(from: string | undefined, lab: Lab | undefined): { via?: TrafficOptions["via"] } {
  const [file, ...first] = (from ?? "").split(/\s+/).filter((word) => word !== "");
  if (file !== undefined) return { via: (...command) => [file, [...first, ...command]] };
  return lab ? { via: clientCommand } : {};
}

function say(text: string, code: number): number {
  (code === 0 ? console.log : console.error)(text);
  return code;
}

void verb(main, 1);
