import { parseArgs } from "node:util";
import { Stack } from "../operate/stack";
import { repair } from "../verify/repair";
import { asJson, asTable, exitCode } from "../verify/report";
import { mended, repairable, type Timed } from "../verify/rounds";
import { verify } from "../verify/verify";
import { verb } from "./verb";

const USAGE = `npm run verify [-- OPTION...]   compares a cluster, inside and outside, with what was last deployed
  --stack NAME         the selected stack unless given
  --config-file FILE   the stack's configuration, Pulumi.NAME.yaml unless given
  --json               for programs
  --repair             mends what it finds by the same pushes as pulumi up, then looks again
  --replace-servers    with --repair: also where that deletes a server that was never finished; never one of a database
Exit code: 0 as deployed, 1 drift found or a repair failed, 2 something could not be looked at.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      stack: { type: "string" },
      "config-file": { type: "string" },
      json: { type: "boolean" },
      repair: { type: "boolean" },
      "replace-servers": { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values["replace-servers"] && !values.repair) throw new Error("--replace-servers goes with --repair");
  const configFile = values["config-file"];
  const stack = await Stack.existing({
    ...(values.stack === undefined ? {} : { name: values.stack }),
    ...(configFile === undefined ? {} : { configFile }),
  });
  const show = ({ verdict, seconds }: Timed): void => {
    const { name } = stack.options;
    console.log(values.json ? asJson(name, verdict) : asTable(name, verdict, seconds));
  };
  const first = await timed(stack);
  if (!values.repair) {
    show(first);
    return exitCode(first.verdict.findings);
  }
  if (repairable(first) && !values.json) show(first);
  const say = (text: string): void => console.error(text);
  const options = { replaceServers: values["replace-servers"], say };
  const { last, failed } = await mended(first, {
    look: () => timed(stack),
    repair: (verdict) => repair(stack, verdict, { ...options, echo: (text) => process.stderr.write(text) }),
    say,
  });
  show(last);
  return exitCode(last.verdict.findings) || (failed ? 1 : 0);
}

async function timed(stack: Stack): Promise<Timed> {
  const began = Date.now();
  const verdict = await verify(stack);
  return { verdict, seconds: (Date.now() - began) / 1000 };
}

void verb(main, 2);
