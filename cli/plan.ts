import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { parseArgs } from "node:util";
import { parseDocument, stringify } from "yaml";
import { changeOf } from "../change/change";
import { type Deployed } from "../change/deployed";
import { standingOf } from "../change/standing";
import { bundlesOf } from "../change/files";
import { heldBy } from "../change/held";
import { pin } from "../change/pin";
import { refusals } from "../change/refuse";
import { words } from "../change/words";
import { readStackFile } from "../config/file";
import { otherStackFiles, stackOf } from "../config/folder";
import { NOTHING_STANDS } from "../config/places";
import { formatProblem, formatProblems } from "../config/problems";
import { readNodeFiles } from "../node/files";
import { interruption } from "../operate/interruption";
import { Stack } from "../operate/stack";
import { describe } from "../plan/describe";
import { checkTenants, NOTHING_HELD } from "../plan/lint/tenants";
import { type Loaded, load } from "../plan/load";
import { tenantsOf } from "../plan/tenants";
import { verb } from "./verb";

const USAGE = `npm run plan -- [STACK | FILE]            prints what a stack file makes, and what that changes on what stands; no secret is read
npm run plan -- [STACK | FILE] --files ID  prints the configuration files of one server, e.g. lb-dc1
npm run plan -- [STACK | FILE] --pin       writes everybody's place into the file: from then on the file alone says who stands where
  --alone   looks at the file alone, neither at the state that pulumi has of the stack nor at other stacks' files beside it`;

type Plan = NonNullable<Loaded["plan"]>;

/** Exit code: 0, 1 for problems in the stack file, 2 for wrong usage. */
async function main(): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help || positionals.length > 1) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const argument = positionals[0] ?? "dev";
  const file = argument.endsWith(".yaml") ? argument : `Pulumi.${argument}.yaml`;
  const stack = stackOf(basename(file)) ?? "dev";

  const { raw, cloud, problems: unreadable } = readStackFile(file);
  if (unreadable.length > 0) return refused(unreadable, file);
  const deployed = values.alone ? "not asked for" : await standing(stack);
  interruption.throwIfAborted();
  const known = typeof deployed === "string" ? NOTHING_STANDS : standingOf(deployed);
  const { plan, spec, secrets, problems, warnings } = load(raw, stack, new Date(), known);
  if (!plan) return refused(problems, file);
  const tenant = { file: basename(file), ...(cloud !== undefined && { cloud }), spec, plan };
  const others = tenantsOf(values.alone ? [] : otherStackFiles(dirname(file), stack));
  const held = typeof deployed === "string" ? NOTHING_HELD : heldBy(deployed);
  const shared = checkTenants(tenant, others.tenants, held);
  if (shared.problems.length > 0) return refused(shared.problems, file);
  for (const warning of [...warnings, ...others.warnings, ...shared.warnings])
    console.error(`warning:\n${formatProblem(warning)}`);
  if (values.files !== undefined) return printFiles(plan, values.files);
  if (typeof deployed === "string") {
    console.error(`not compared with what stands: ${deployed}`);
    if (values.pin && !values.alone) {
      console.error("nothing was written: who stands where is not known. Of a stack that was never built: --alone");
      return 1;
    }
  } else if (plan.source === "existing") {
    console.log("# pulumi preview --diff shows what changes on machines that exist");
  } else {
    const intent = { mayDelete: spec.mayDelete, mayReplace: spec.mayReplace, mayRepair: [] };
    const change = changeOf(plan, deployed, intent);
    const against = refusals(plan, intent, secrets, deployed, change);
    if (against.length > 0) return refused(against, file);
    const lines = words(change, deployed, bundlesOf(plan, readNodeFiles().sampleApp));
    console.log(
      [
        "# what this changes, by datacenter:",
        ...(spec.mayReplace.length > 0 ? ["(images and zones by their names; pulumi preview asks the cloud)"] : []),
        ...(lines.length > 0 ? lines : ["nothing, unless secrets or scripts are others"]),
      ].join("\n# "),
    );
  }
  if (values.pin) {
    writeFileSync(file, pin(parseDocument(readFileSync(file, "utf8")), spec).toString({ lineWidth: 0 }));
    console.error(`${file}: every place is written down`);
    return 0;
  }
  const { firewall, loadBalancers } = plan;
  const shown = { ...describe(plan), rollout: loadBalancers.map((node) => node.id), firewall: firewall.flows };
  console.log(stringify(shown, { aliasDuplicateObjects: false }));
  return 0;
}

function refused(problems: Loaded["problems"], file: string): number {
  console.error(formatProblems(problems, file));
  return 1;
}

/** What the state has, or why it can't be read: a file may well be looked at before there is a stack. */
async function standing(name: string): Promise<Deployed | string> {
  try {
    return await (await Stack.existing({ name })).deployed();
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[0]! : String(error);
  }
}

function printFiles(plan: Plan, id: string): number {
  const bundles = bundlesOf(plan, readNodeFiles().sampleApp);
  const text = bundles[id];
  if (text === undefined) {
    console.error(`there is no server ${id}; there are ${Object.keys(bundles).join(", ")}`);
    return 2;
  }
  process.stdout.write(text);
  return 0;
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      files: { type: "string" },
      pin: { type: "boolean" },
      alone: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
}

void verb(main, 1);
