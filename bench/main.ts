import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../operate/lab/places";
import { facts } from "./facts";
import { measurePlan, type PlanFigures } from "./plan";
import { measurePreview, type PreviewFigures } from "./preview";
import { CASES, type Comparison, Contest } from "./push/compare";
import { shown, spread, table } from "./report";
import { SMALLEST } from "./stack";

const USAGE = `npm run bench -- [--runs N] [--json] [CASE...]
  CASE      push, plan, preview, or a part of the name of one push ("one line"); all of them unless given
  --runs N  rounds of each push, and runs of everything else; 3 unless given
  --json    figures for programs instead of tables`;

const SERVERS = [SMALLEST, 30, 300];

interface Results {
  facts: Record<string, string>;
  push?: Comparison[];
  plan?: PlanFigures[];
  preview?: PreviewFigures[];
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "3" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const runs = Number(values.runs);
  const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name);
  const pushes = CASES.filter(({ name }) => wanted("push") || positionals.some((part) => name.includes(part)));
  if (values.help || !Number.isInteger(runs) || runs < 1) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const results: Results = { facts: await facts() };
  if (wanted("plan")) results.plan = await each(SERVERS, (servers) => measurePlan(servers, runs));
  if (wanted("preview")) results.preview = await each(SERVERS, (servers) => measurePreview(servers, runs));
  if (pushes.length > 0) {
    const contest = await Contest.open("dev", join(ROOT, "Pulumi.dev.yaml"));
    try {
      results.facts.ansible = await contest.ansibleVersion();
      results.push = await each(pushes, (one) => contest.run(one, runs));
    } finally {
      await contest.close();
    }
  }
  if (Object.keys(results).length === 1) {
    console.error(`nothing is called ${positionals.join(" or ")}\n${USAGE}`);
    return 2;
  }
  console.log(values.json ? JSON.stringify(results, undefined, 2) : report(results));
  return 0;
}

async function each<From, To>(items: readonly From[], work: (item: From) => Promise<To>): Promise<To[]> {
  const made: To[] = [];
  for (const item of items) {
    process.stderr.write(`bench: ${typeof item === "object" ? (item as { name: string }).name : String(item)} …\n`);
    made.push(await work(item));
  }
  return made;
}

function report({ facts: about, push, plan, preview }: Results): string {
  const parts = [table(["", "value"], Object.entries(about))];
  if (push) {
    const rows = push.map(({ name, pulumi, ansible }) => {
      const [ours, theirs] = [spread(pulumi), spread(ansible)];
      return [name, String(pulumi.length), shown(ours, 1), shown(theirs, 1), (ours.median / theirs.median).toFixed(2)];
    });
    parts.push(table(["push, seconds: median (min–max)", "runs each", "pulumi up", "Ansible", "ratio"], rows));
  }
  if (plan) {
    const rows = plan.map(({ servers, characters, warm, cold }) => [
      String(servers),
      `${Math.round(characters / 1000)} kB`,
      shown(warm, 0),
      shown(cold, 0),
    ]);
    parts.push(table(["plan and render, ms: servers", "files", "warm", "fresh process"], rows));
  }
  if (preview) {
    const rows = preview.map(({ servers, resources, seconds }) => [
      String(servers),
      String(resources),
      shown(seconds, 1),
    ]);
    parts.push(table(["pulumi preview, s: servers", "resources", "time"], rows));
  }
  return parts.join("\n\n");
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
