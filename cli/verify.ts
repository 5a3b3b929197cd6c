import { parseArgs } from "node:util";
import { Fleet } from "../operate/fleet";
import { Stack } from "../operate/stack";
import { refusal, repair } from "../verify/repair";
import { asJson, asTable, exitCode } from "../verify/report";
import { verify, type Verdict } from "../verify/verify";

const USAGE = `npm run verify [-- OPTION...]   compares a cluster, inside and outside, with what was last deployed
  --stack NAME         the selected stack unless given
  --config-file FILE   the stack's configuration, Pulumi.NAME.yaml unless given
  --json               for programs
  --repair             mends what it finds by the same pushes as pulumi up, then looks again
Exit code: 0 as deployed, 1 drift found, 2 something could not be looked at.`;

/** A repaired cluster comes to rest: health checks rise, a database catches up. */
const SETTLE_SECONDS = 30;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      stack: { type: "string" },
      "config-file": { type: "string" },
      json: { type: "boolean" },
      repair: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const configFile = values["config-file"];
  const stack = await Stack.existing({
    ...(values.stack === undefined ? {} : { name: values.stack }),
    ...(configFile === undefined ? {} : { configFile }),
  });
  const fleet = await Fleet.open(stack);
  try {
    const show = ({ verdict, seconds }: Timed): void => {
      const { name } = stack.options;
      console.log(values.json ? asJson(name, verdict) : asTable(name, verdict, seconds));
    };
    let last = await timed(stack, fleet);
    if (values.repair && repairable(last)) {
      if (!values.json) show(last);
      last = await repaired(stack, fleet, last);
    }
    show(last);
    return exitCode(last.verdict.findings);
  } finally {
    await fleet.close();
  }
}

/** A machine that could not be reached, for a rule that was missing, shows its own drift only when that is mended. */
const ROUNDS = 3;

interface Timed {
  verdict: Verdict;
  seconds: number;
}

async function timed(stack: Stack, fleet: Fleet): Promise<Timed> {
  const began = Date.now();
  const verdict = await verify(stack, fleet);
  return { verdict, seconds: (Date.now() - began) / 1000 };
}

function repairable({ verdict }: Timed): boolean {
  return verdict.findings.some((finding) => finding.repair !== undefined);
}

/** What is left after repairs; why nothing was, or what failed, goes to standard error. */
async function repaired(stack: Stack, fleet: Fleet, found: Timed): Promise<Timed> {
  let last = found;
  for (let round = 0; round < ROUNDS && repairable(last); round++) {
    const refused = refusal(last.verdict.findings);
    if (refused !== undefined) {
      console.error(refused);
      return last;
    }
    try {
      await repair(stack, fleet, last.verdict, { echo: (text) => process.stderr.write(text) });
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      return timed(stack, fleet);
    }
    last = await settled(stack, fleet);
  }
  return last;
}

async function settled(stack: Stack, fleet: Fleet): Promise<Timed> {
  const end = Date.now() + SETTLE_SECONDS * 1000;
  for (;;) {
    const left = await timed(stack, fleet);
    if (exitCode(left.verdict.findings) !== 1 || Date.now() > end) return left;
  }
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  },
);
