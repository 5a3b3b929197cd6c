import { parseArgs } from "node:util";
import { formatProblems } from "../config/problems";
import type { Secrets } from "../config/spec";
import { Fleet } from "../operate/fleet";
import { unlessInterrupted } from "../operate/interruption";
import { Stack } from "../operate/stack";
import { load } from "../plan/load";
import type { Plan } from "../plan/plan";
import { differences } from "../preflight/differences";
import { expectedOf, reachOf } from "../preflight/existing";
import { judge, type Finding } from "../preflight/judge";
import { look } from "../preflight/look";
import { verb } from "./verb";

const USAGE = `npm run preflight -- [OPTION…]   looks at hosts that somebody else built, before the first push

  --stack NAME        another stack than the selected one
  --config-file FILE  another file than Pulumi.NAME.yaml
  --json              the findings as JSON
  --diff              no findings, but what the first push changes in the files of each host, in the order of the
                      rollout; without passwords

It changes nothing on them. Exit code: 0 a push can begin, 1 it would go wrong, 2 could not look. With --diff: 0 or 2.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      stack: { type: "string" },
      "config-file": { type: "string" },
      json: { type: "boolean" },
      diff: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.json && values.diff) {
    console.error("--diff is text and has no JSON: give --json or --diff, not both");
    return 2;
  }
  const { stack: named, "config-file": configFile } = values;
  const stack = await Stack.existing({ ...(named && { name: named }), ...(configFile && { configFile }) });
  const { name } = stack.options;
  const { spec, plan, secrets, problems } = load(await stack.config(), name, new Date());
  if (!spec) {
    console.error(formatProblems(problems, `stack ${name}`));
    return 2;
  }
  if (spec.machines.source !== "existing") {
    console.error(`stack ${name} makes its own machines; preflight is for machines.source: existing`);
    return 2;
  }
  const expected = expectedOf(spec, spec.machines, plan);
  const fleet = Fleet.of(reachOf(spec.machines, plan, secrets));
  try {
    if (values.diff) return await showDifferences(fleet, plan, secrets);
    const { looks, sent } = await unlessInterrupted(look(fleet, expected));
    const findings = judge(expected, looks, sent);
    console.log(
      values.json ? JSON.stringify(findings, undefined, 2) : report(findings, expected.hosts.length, sent.length),
    );
    return findings.some(({ level }) => level === "problem") ? 1 : 0;
  } finally {
    await fleet.close();
  }
}

async function showDifferences(fleet: Fleet, plan: Plan, secrets: Secrets): Promise<number> {
  const hosts = await unlessInterrupted(
    Promise.all(plan.loadBalancers.map((node) => differences(fleet, plan, node, secrets))),
  );
  for (const { host, text, unreachable } of hosts) {
    console.log(`### ${host}`);
    if (unreachable === undefined) console.log(text || "The first push changes no file.\n");
    else console.log(`✖ cannot be looked at: ${unreachable}\n    preflight without --diff says what to do\n`);
  }
  return hosts.some(({ unreachable }) => unreachable !== undefined) ? 2 : 0;
}

function report(findings: readonly Finding[], hosts: number, packets: number): string {
  const lines = findings.map(
    ({ level, host, what, mend }) => `${level === "problem" ? "✖" : "!"} ${host} ${what}\n    ${mend}`,
  );
  const problems = findings.filter(({ level }) => level === "problem").length;
  const end =
    problems === 0
      ? "A push can begin."
      : `A push would go wrong: ${problems} ${problems === 1 ? "problem" : "problems"} to mend first.`;
  return [...lines, `Looked at ${hosts} hosts, and sent ${packets} packets between them. ${end}`].join("\n");
}

void verb(main, 2);
