import { parseArgs } from "node:util";
import { Stack } from "../operate/stack";
import { recover } from "../recover/run";
import { verb } from "./verb";

const USAGE = `npm run recover -- run [OPTION...]   after a run that was cut, or when the state is older than the cloud
  --stack NAME         the selected stack unless given
  --config-file FILE   the stack's configuration, Pulumi.NAME.yaml unless given
  --unlock             also when the one that holds the stack's lock is on another machine, and you know that it is gone
What the cloud has and the state doesn't know gets into the state; nothing that ever ran is deleted, no machine is touched.
Exit code: 0 pulumi up, or destroy, can go on; 1 somebody has to look first; 2 wrong usage or it could not be done.`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      stack: { type: "string" },
      "config-file": { type: "string" },
      unlock: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help || positionals.length !== 1 || positionals[0] !== "run") {
    console[values.help ? "log" : "error"](USAGE);
    return values.help ? 0 : 2;
  }
  const configFile = values["config-file"];
  const stack = await Stack.existing({
    ...(values.stack === undefined ? {} : { name: values.stack }),
    ...(configFile === undefined ? {} : { configFile }),
  });
  const { unclear, older } = await recover(stack, { unlock: values.unlock, say: (line) => console.log(line) });
  if (unclear) return 1;
  const { name } = stack.options;
  console.log(
    older
      ? `The cloud had more than any run had noted. Go on: pulumi up --refresh --stack ${name}, then npm run verify -- --stack ${name}`
      : `Go on: pulumi up --stack ${name}, or pulumi destroy`,
  );
  return 0;
}

void verb(main, 2);
