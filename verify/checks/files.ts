import { dirname } from "node:path";
import { SCRIPTS } from "../../plan/vrrp";
import { type Finding, pushable } from "../finding";
import type { DeployedMachine } from "../gather/deployed";
import type { FileFacts, MachineFacts } from "../gather/facts";
import type { PushedFile } from "../gather/pushed";

/** Every file is there as it was pushed, and nothing else where only pushed files belong. */
export function checkFiles(machine: DeployedMachine, facts: MachineFacts): Finding[] {
  const pushed = new Set(machine.files.map(({ path }) => path));
  return [
    ...machine.files.flatMap((file) =>
      checkFile(machine.name, file, facts.files.get(file.path) ?? { state: "absent" }),
    ),
    ...facts.scripts
      .map((name) => `${SCRIPTS}/${name}`)
      .filter((path) => !pushed.has(path))
      .map((path) =>
        pushable("scripts", {
          check: "files",
          where: machine.name,
          what: path,
          expected: "only scripts that were pushed",
          found: "a file from elsewhere",
        }),
      ),
    ...facts.ownedMissing
      .filter((path) => !pushed.has(path) && dirname(path) !== SCRIPTS)
      .map((path) => missing(machine.name, path, "config")),
    ...(facts.interrupted === undefined ? [] : [interrupted(machine.name, facts.interrupted)]),
  ];
}

/** Of what the last deployment brought, that which never came to its end; nothing of it was seen on the machine. */
export function checkFinished(machine: DeployedMachine): Finding[] {
  const parts = (["scripts", "secrets", "config"] as const).filter((part) => machine.commands[part] === undefined);
  if (parts.length === 0) return [];
  return [
    {
      check: "files",
      where: machine.name,
      what: parts.join(", "),
      severity: "drift",
      expected: "pushed by the last deployment",
      found: "never finished",
      mend: "pulumi up",
    },
  ];
}

function checkFile(where: string, file: PushedFile, facts: FileFacts): Finding[] {
  const about = { check: "files", where, what: file.path } as const;
  if (facts.state === "absent") return [missing(where, file.path, file.part)];
  if (facts.state === "other") {
    return [pushable(file.part, { ...about, expected: "a file", found: "a link, a directory or a device" })];
  }
  const findings: Finding[] = [];
  if (!facts.same) findings.push(pushable(file.part, { ...about, ...difference(file, facts.text) }));
  if (facts.mode !== file.mode || facts.owner !== file.owner) {
    findings.push(
      pushable(file.part, {
        ...about,
        expected: `mode ${file.mode}, owner ${file.owner}`,
        found: `mode ${facts.mode}, owner ${facts.owner}`,
      }),
    );
  }
  return findings;
}

function missing(where: string, path: string, part: PushedFile["part"]): Finding {
  return pushable(part, { check: "files", where, what: path, expected: "the file that was pushed", found: "missing" });
}

function interrupted(where: string, bundle: string): Finding {
  return pushable(bundle === "secrets" ? "secrets" : "config", {
    check: "files",
    where,
    what: `push of ${bundle}`,
    expected: "came to its end",
    found: "was killed half-way; the next push takes it back first",
  });
}

/** The first line that differs; of a secret, nothing. */
function difference(file: PushedFile, text: string | undefined): { expected: string; found: string } {
  if (file.part === "secrets" || text === undefined) {
    return { expected: "the content that was pushed (secret)", found: "other content" };
  }
  const [expected, found] = [file.text.split("\n"), text.split("\n")];
  const at = expected.findIndex((line, index) => line !== found[index]);
  return { expected: `line ${at + 1}: ${quoted(expected[at])}`, found: `line ${at + 1}: ${quoted(found[at])}` };
}

function quoted(line: string | undefined): string {
  return line === undefined || line === "" ? "(nothing)" : line.trim();
}
