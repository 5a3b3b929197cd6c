import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { agreed } from "../../../cli/agreed";
import { verb } from "../../../cli/verb";
import { Steps } from "../../../harness/demo/steps";
import { answerWith } from "../../../operate/interruption";
import { until } from "../../../operate/poll";
import { Stack } from "../../../operate/stack";

/*
 * A verb that is interrupted while it does one of these. What happens is told in the `log` of a folder.
 */

const [folder, does] = process.argv.slice(2) as [string, keyof typeof WORK];
const log = (line: string): void => appendFileSync(join(folder, "log"), `${line}\n`);

const WORK = {
  up: (steps: Steps, stack: Stack) => steps.run("up", () => stack.up()),
  both: (steps: Steps, stack: Stack) => steps.run("both", () => Promise.allSettled([stack.up(), stack.preview()])),
  look: (steps: Steps) => steps.look("look", () => begun(() => false)),
  work: (steps: Steps) => steps.run("work", () => begun(() => false)),
  late: (steps: Steps, stack: Stack) =>
    steps.run("late", async () => {
      await Promise.allSettled([stack.up()]);
      await begun(() => false);
    }),
  own: (steps: Steps) => {
    answerWith({ first: () => log("first"), later: () => log("later") });
    return steps.run("own", async () => {
      await begun(() => existsSync(join(folder, "finish")));
      throw new Error("put back, in its own words");
    });
  },
  ask: async () => {
    log("begun");
    log(`said ${await agreed("Go on? [y/N] ")}`);
  },
};

async function begun(ended: () => boolean): Promise<void> {
  log("begun");
  await until("its end", () => Promise.resolve(ended()), Boolean, { seconds: 600, every: 20 });
}

log(`verb runs as ${process.pid}`);
process.on("exit", (code) => log(`exit ${code}`));

async function main(): Promise<number> {
  const steps = new Steps();
  const stack = await Stack.existing({ name: "acme" });
  try {
    await WORK[does](steps, stack);
    await steps.run("the next step", () => {
      log("next step");
      return Promise.resolve();
    });
    return 0;
  } finally {
    const refused = [stack.up(), stack.preview(), stack.deployed()].map((each) =>
      each.catch((error: unknown) => error),
    );
    for (const error of await Promise.all(refused)) log(`refused: ${(error as Error).message}`);
    console.log("putting back");
    process.stderr.write("putting back\n");
    log("put back");
  }
}

void verb(main, 7);
