import { parseArgs } from "node:util";
import { type Outcome, type Part, runPart, sum } from "./parts";
import { cloud, long, tools, unit } from "./suites";

const USAGE = `test/run.ts [--unit | --long] [NAME...]
  --unit   only what needs neither root nor the embedded cloud
  --long   only what takes too long for every run
  NAME     only the parts whose names contain one of these`;

/** Runs the parts, and says at the end how each went; exit code 1 when anything failed. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { unit: { type: "boolean" }, long: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const all: Part[] = values.unit ? unit() : values.long ? long() : [...unit(), ...tools(), ...cloud()];
  const parts = all.filter((part) => positionals.length === 0 || positionals.some((name) => part.name.includes(name)));
  if (parts.length === 0) {
    console.error(
      `no part is called ${positionals.join(" or ")}; there are ${all.map((part) => part.name).join(", ")}`,
    );
    return 2;
  }
  const results: (Outcome & { part: Part; seconds: number })[] = [];
  const inTurn = async (some: readonly Part[]): Promise<void> => {
    for (const part of some) {
      const began = Date.now();
      const blocked = results.some((each) => each.part.name === part.needs && each.counts.failed > 0);
      const outcome = await runPart(part, blocked);
      results.push({ part, ...outcome, seconds: (Date.now() - began) / 1000 });
    }
  };
  await Promise.all([true, false].map((beside) => inTurn(parts.filter((part) => (part.beside ?? false) === beside))));
  // Once more: half an hour of output hides it.
  for (const { part, failures } of results) if (failures !== "") console.log(`\n--- failed: ${part.name}\n${failures}`);
  console.log("");
  for (const { part, counts, seconds } of results) {
    const told = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
    console.log(`${part.name.padEnd(28)} ${told.padEnd(36)} ${seconds.toFixed(1).padStart(7)} s`);
  }
  const total = sum(results.map((each) => each.counts));
  console.log(`\ntests: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

void main().then((code) => {
  process.exitCode = code;
});
