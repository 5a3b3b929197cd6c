import { basename } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { readNodeFiles } from "../node/files";
import { readStackFile } from "../config/file";
import { formatProblem, formatProblems } from "../config/problems";
import { describe } from "../plan/describe";
import { load } from "../plan/load";
import type { Plan } from "../plan/plan";
import { bundle } from "../render/bundle";
import { appServerFiles, databaseFiles, loadBalancerFiles } from "../render/files";

const USAGE = `npm run plan -- [STACK | FILE]           prints what a stack file makes, without an engine and without secrets
npm run plan -- [STACK | FILE] --files ID  prints the configuration files of one server, e.g. lb-dc1`;

/** Exit code: 0, 1 for problems in the stack file, 2 for wrong usage. */
function main(): number {
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
  const stack = /^Pulumi\.(.+)\.yaml$/.exec(basename(file))?.[1] ?? "dev";

  const { raw, problems: unreadable } = readStackFile(file);
  const { plan, problems, warnings } =
    unreadable.length > 0 ? { problems: unreadable, warnings: [] } : load(raw, stack, new Date());
  if (!plan) {
    console.error(formatProblems(problems, file));
    return 1;
  }
  for (const warning of warnings) console.error(`warning:\n${formatProblem(warning)}`);
  if (values.files === undefined) {
    const { firewall, loadBalancers } = plan;
    const shown = { ...describe(plan), rollout: loadBalancers.map((node) => node.id), firewall: firewall.flows };
    console.log(stringify(shown, { aliasDuplicateObjects: false }));
    return 0;
  }
  const text = filesOf(plan, values.files);
  if (text === undefined) {
    const ids = [...plan.loadBalancers, ...plan.databases, ...plan.appServers].map((node) => node.id);
    console.error(`there is no server ${values.files}; there are ${ids.join(", ")}`);
    return 2;
  }
  process.stdout.write(text);
  return 0;
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: { files: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
}

function filesOf(plan: Plan, id: string): string | undefined {
  const is = (node: { id: string }): boolean => node.id === id;
  const balancer = plan.loadBalancers.find(is);
  if (balancer) return bundle(loadBalancerFiles(plan, balancer));
  const database = plan.databases.find(is);
  if (database) return bundle(databaseFiles(plan, database));
  const app = plan.appServers.find(is);
  return app && bundle(appServerFiles(plan, app, readNodeFiles().sampleApp));
}

process.exitCode = main();
