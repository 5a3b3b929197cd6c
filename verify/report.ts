import { CHECKS, type Finding } from "./finding";
import type { Verdict } from "./verify";

/** 0 fine, 1 drift found, 2 something could not be looked at. Warnings are fine. */
export function exitCode(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ severity }) => severity === "drift")) return 1;
  return findings.some(({ severity }) => severity === "unknown") ? 2 : 0;
}

/** For programs; docs/recover.md says what each field is. Fields may come, none goes. */
export function asJson(stack: string, { deployed, findings }: Verdict): string {
  const shown = findings.map(({ repair, ...finding }) => ({ ...finding, repairable: repair !== undefined }));
  return JSON.stringify(
    {
      version: 1,
      stack,
      exitCode: exitCode(findings),
      machines: deployed.machines.map(({ name }) => name),
      findings: shown,
    },
    undefined,
    2,
  );
}

/** For people: what was looked at, then a table of what is not as it should be. */
export function asTable(stack: string, { deployed, findings }: Verdict, seconds: number): string {
  const wrong = CHECKS.filter((check) => findings.some((each) => each.check === check));
  const fine = CHECKS.filter((check) => !wrong.includes(check));
  const count = (severity: Finding["severity"]): number => findings.filter((each) => each.severity === severity).length;
  const summary = [
    `stack ${stack}: ${deployed.machines.length} machines, ${deployed.urls?.length ?? 0} URLs, looked at in ${seconds.toFixed(1)} s`,
    `as deployed: ${fine.join(", ") || "nothing"}`,
  ];
  if (findings.length === 0) return summary.join("\n");
  const rows = findings.map(({ severity, where, what, expected, found, mend }) => [
    severity === "drift" ? "DRIFT" : severity,
    where,
    what,
    `${found}; expected: ${expected}`,
    mend,
  ]);
  return [
    ...summary,
    `not so: ${wrong.join(", ")}`,
    "",
    ...columns([["", "WHERE", "WHAT", "STATE", "WHAT TO DO"], ...rows]),
    "",
    `${count("drift")} drifts, ${count("warning")} warnings, ${count("unknown")} that could not be looked at`,
  ].join("\n");
}

/** Wider cells than this go on, and push only their own row aside. */
const WIDEST = 48;

function columns(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, index) => Math.min(WIDEST, Math.max(...rows.map((row) => row[index]!.length))));
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index]!)))
      .join("  ")
      .trimEnd(),
  );
}
