import { parseArgs } from "node:util";
import { Stack } from "../operate/stack";
import type { Fleet } from "../operate/fleet";
import { answerWith, interruption, signalled, unlessInterrupted } from "../operate/interruption";
import { type Facts, hasWork, REBOOTS, type Reboot } from "../patch/facts";
import { handsOf, lookAt } from "../patch/hands";
import { chosen, order, type Server } from "../patch/order";
import { type Outcome, rollout } from "../patch/rollout";
import { planWords } from "../patch/words";
import { SCRIPTS } from "../plan/vrrp";
import { type Deployed, readDeployed } from "../verify/gather/deployed";
import { fleetOf } from "../verify/verify";
import { agreed } from "./agreed";
import { verb } from "./verb";

const USAGE = `npm run patch -- [OPTION…]   updates packages and reboots, one server at a time
  --stack NAME         the selected stack unless given
  --config-file FILE   the stack's configuration, Pulumi.NAME.yaml unless given
  --only SERVER…       these alone, by name or as in the stack file (lb-dc1)
  --reboot WHEN        needed (a kernel, or what still runs on replaced files, asks for it), always or never; needed unless given
  --dry-run            shows what would be done, and ends
  --list               names every update
  --yes                does not ask
It shows what it will do to whom, and asks. Each server hands over, drains, is updated, reboots if need be, and has to serve
again, with all others well, before the next. The first that fails ends it; the same command goes on.
Exit code: 0 done, or nothing to do; 1 something was not well, failed, or you said no; 2 wrong usage, or it could not look.`;

const OPTIONS = {
  stack: { type: "string" },
  "config-file": { type: "string" },
  only: { type: "string", multiple: true },
  reboot: { type: "string", default: "needed" },
  "dry-run": { type: "boolean", default: false },
  list: { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

async function main(): Promise<number> {
  let values: Values;
  let only: string[];
  try {
    const parsed = parseArgs({ options: OPTIONS, allowPositionals: true });
    values = parsed.values;
    only = [...(values.only ?? []), ...parsed.positionals].flatMap((words) => words.split(",")).filter(Boolean);
    if (parsed.positionals.length > 0 && values.only === undefined)
      throw new Error(`what is ${parsed.positionals[0]!}? Servers come after --only`);
    if (!isReboot(values.reboot)) throw new Error(`--reboot is ${REBOOTS.join(", ")}, not ${values.reboot}`);
  } catch (error) {
    return say(`${(error as Error).message}\n\n${USAGE}`, 2);
  }
  if (values.help) return say(USAGE, 0);
  const { stack: name, "config-file": configFile } = values;
  const stack = await Stack.existing({ ...(name && { name }), ...(configFile && { configFile }) });
  const deployed = await readDeployed(stack);
  const servers = chosen<Server>(deployed.machines, only);
  const refused = refusal(stack.options.name, deployed);
  if (refused !== undefined) return say(refused, 1);
  if (typeof servers === "string") return say(servers, 2);
  const fleet = fleetOf(deployed, { ownSession: true });
  try {
    return await patch({ name: stack.options.name, deployed, servers, fleet, values });
  } finally {
    await fleet.close();
  }
}

function isReboot(word: string): word is Reboot {
  return (REBOOTS as readonly string[]).includes(word);
}

function refusal(name: string, { machines }: Deployed): string | undefined {
  if (machines.length === 0) return `stack ${name} has no machines yet: pulumi up builds its cluster`;
  if (machines.some(({ ours }) => !ours))
    return `stack ${name} has hosts that somebody else built: whoever runs them updates them; nothing was done`;
  const old = machines.filter(({ files }) => !files.some(({ path }) => path === `${SCRIPTS}/patch.sh`));
  if (old.length === 0) return undefined;
  return `${old.map((each) => each.name).join(", ")} can't be updated by this yet: first pulumi up, which brings the script; nothing was done`;
}

interface Circumstances {
  name: string;
  deployed: Deployed;
  servers: Server[];
  fleet: Fleet;
  values: Values;
}

async function patch({ name, deployed, servers, fleet, values }: Circumstances): Promise<number> {
  const when = values.reboot as Reboot;
  const hands = handsOf(fleet, deployed, (text) => console.log(text));
  const health = await unlessInterrupted(hands.health());
  if (health.problems.length > 0) {
    const problems = health.problems.map((each) => `  ${each}`).join("\n");
    return say(`stack ${name} is not well, so nothing was done:\n${problems}\nnpm run verify says what to do.`, 1);
  }
  const { active } = health;
  const looks = await unlessInterrupted(
    Promise.all(order(servers, active).map(async (server) => ({ server, facts: await lookAt(fleet, server) }))),
  );
  const blind = looks.flatMap(({ server, facts }) => (typeof facts === "string" ? [`${server.name}: ${facts}`] : []));
  if (blind.length > 0) return say(`what there is to do can't be told, so nothing was done:\n${blind.join("\n")}`, 2);
  const planned = looks.map(({ server, facts }) => ({ ...server, facts: facts as Facts }));
  console.log(`stack ${name}: all ${deployed.machines.length} servers are well\n`);
  console.log(planWords(planned, active, when, values.list));
  if (values["dry-run"] || !planned.some(({ facts }) => hasWork(facts, when))) return 0;
  if (!values.yes && !(await agreed("Go on? [y/N] "))) return say("Nothing was done.", 1);

  answerWith({
    first: () => console.log("stopping: the server in hand is finished first, as it is away until then; wait"),
    later: () => {
      console.log("left alone: the server in hand goes on by itself; npm run verify shows when it is back");
      void fleet.close().finally(() => process.exit(signalled()));
    },
  });
  return report(await rollout(planned, when, await hands.health(), hands, interruption));
}

function report({ done, alone, left, stopped }: Outcome): number {
  const list = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));
  console.log(`\ndone: ${list(done)}`);
  if (alone.length > 0) console.log(`nothing to do: ${list(alone)}`);
  if (stopped === undefined) return 0;
  const { server, why, serves } = stopped;
  const state = serves === undefined ? "" : serves ? "; it serves" : "; IT DOES NOT SERVE";
  console.error(`stopped${server === undefined ? "" : ` at ${server}${state}`}:\n${why.replace(/^/gm, "  ")}`);
  console.error(`not touched: ${list(left)}`);
  const words = process.argv.slice(2).join(" ");
  console.error(
    `${serves === false ? "npm run verify says more, and --repair mends. " : ""}Then the same command goes on: npm run patch -- ${words}`,
  );
  return 1;
}

function say(text: string, code: number): number {
  (code === 0 ? console.log : console.error)(text);
  return code;
}

void verb(main, 2);
