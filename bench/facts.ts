import { readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { ROOT } from "../operate/lab/places";
import { run } from "../operate/exec";

/** What the figures depend on besides the project. */
export async function facts(): Promise<Record<string, string>> {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: (await run("git", ["-C", ROOT, "rev-parse", "--short", "HEAD"])).trim(),
    machine: `${cpus().length} cores (${cpus()[0]!.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB`,
    "load when it began": loadavg()[0]!.toFixed(1),
    node: process.version,
    "@pulumi/pulumi": dependencies["@pulumi/pulumi"]!,
  };
}
