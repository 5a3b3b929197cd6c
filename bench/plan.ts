import { join } from "node:path";
import { readStackFile } from "../config/file";
import { formatProblems } from "../config/problems";
import { temporaryFolder } from "../test/support/folder";
import { ROOT } from "../operate/lab/places";
import { StackFile } from "../harness/stackFile";
import { readNodeFiles } from "../node/files";
import { run } from "../operate/exec";
import { load } from "../plan/load";
import { bundle } from "../render/bundle";
import { appServerFiles, databaseFiles, loadBalancerFiles } from "../render/files";
import { type Spread, spread } from "./report";
import { sized } from "./stack";

export interface PlanFigures {
  servers: number;
  /** Characters of all files. */
  characters: number;
  /** Milliseconds in a process that has done it once. */
  warm: Spread;
  /** Milliseconds the first time in a fresh process, modules loaded. */
  cold: Spread;
}

/** From a stack file's values to the text of every file of every server. */
export async function measurePlan(servers: number, runs: number): Promise<PlanFigures> {
  const folder = temporaryFolder();
  try {
    const file = sized(StackFile.read(join(ROOT, "Pulumi.dev.yaml")), servers).write(
      join(folder.path, "Pulumi.bench.yaml"),
    );
    const cold: number[] = [];
    for (let k = 0; k < runs; k++) {
      cold.push(Number(await run(process.execPath, ["--import", "tsx", __filename, file], { cwd: ROOT })));
    }
    const characters = planAndRender(file).characters;
    const warm = Array.from({ length: runs }, () => planAndRender(file).milliseconds);
    return { servers, characters, warm: spread(warm), cold: spread(cold) };
  } finally {
    folder.remove();
  }
}

function planAndRender(file: string): { milliseconds: number; characters: number } {
  const { sampleApp } = readNodeFiles();
  const { raw } = readStackFile(file);
  const began = performance.now();
  const { plan, problems } = load(raw, "bench", new Date());
  if (!plan) throw new Error(formatProblems(problems, file));
  const bundles = [
    ...plan.loadBalancers.map((node) => bundle(loadBalancerFiles(plan, node))),
    ...plan.databases.map((node) => bundle(databaseFiles(plan, node))),
    ...plan.appServers.map((node) => bundle(appServerFiles(plan, node, sampleApp))),
  ];
  const milliseconds = performance.now() - began;
  return { milliseconds, characters: bundles.reduce((sum, text) => sum + text.length, 0) };
}

if (require.main === module) console.log(planAndRender(process.argv[2]!).milliseconds);
