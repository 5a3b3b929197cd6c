import { parseArgs } from "node:util";
import { Stack } from "../operate/stack";
import { exitCode, asTable } from "../verify/report";
import { machineOf, objection, planned, replace } from "../verify/replace";
import { verify } from "../verify/verify";
import { agreed } from "./agreed";
import { verb } from "./verb";

const USAGE = `npm run replace -- [OPTION...] SERVER   deletes a server that is broken, and makes it anew in its place
  SERVER               its host name or id, e.g. lb-dc1
  --stack NAME         the selected stack unless given
  --config-file FILE   the stack's configuration, Pulumi.NAME.yaml unless given
  --yes                without asking
  --unheard            without its farewell: for one that is too broken for it
The others must be able to do without it: databases are synced, another one of its kind is well. It hands over first, if it can.
Exit code: 0 replaced and as deployed, 1 not replaced or not well, 2 wrong usage or something could not be looked at.`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      stack: { type: "string" },
      "config-file": { type: "string" },
      yes: { type: "boolean", default: false },
      unheard: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  const [name] = positionals;
  if (values.help || name === undefined || positionals.length > 1) {
    console[values.help ? "log" : "error"](USAGE);
    return values.help ? 0 : 2;
  }
  const configFile = values["config-file"];
  const stack = await Stack.existing({
    ...(values.stack === undefined ? {} : { name: values.stack }),
    ...(configFile === undefined ? {} : { configFile }),
  });
  const before = await verify(stack);
  const target = machineOf(name, before.deployed);
  const why = objection(target, before, { unheard: values.unheard });
  if (why !== undefined) return ended(`nothing done: ${why}`);
  let lines: string[];
  try {
    lines = await planned(stack, target, before.deployed);
  } catch (error) {
    return ended(`nothing done: ${error instanceof Error ? error.message : String(error)}`);
  }
  for (const line of lines) console.log(line);
  if (!values.yes && !(await agreed("Go on? [y/N] "))) return ended("Nothing was done.");
  const say = (text: string): void => console.log(text);
  try {
    const { unheard } = values;
    await replace(stack, target, before, { say, unheard, echo: (text) => process.stderr.write(text) });
  } catch (error) {
    return ended(`${target.name} is not replaced: ${error instanceof Error ? error.message : String(error)}`);
  }
  const began = Date.now();
  const after = await verify(stack);
  console.log(asTable(stack.options.name, after, (Date.now() - began) / 1000));
  return exitCode(after.findings);
}

function ended(words: string): number {
  console.error(words);
  return 1;
}

void verb(main, 2);
