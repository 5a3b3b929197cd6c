import assert from "node:assert/strict";
import { test } from "node:test";
import { changeOf } from "../../change/change";
import { deployed, type Pending, type Resource } from "../../change/deployed";
import { standingOf } from "../../change/standing";
import { refusals } from "../../change/refuse";
import { validate } from "../../config/validate";
import { formatProblems, type Problem } from "../../config/problems";
import { plan } from "../../plan/plan";
import { dualStack, type Raw, specOf } from "./specs";
import { stateOf } from "./state";

export const SECRETS = { root: "a root secret of the tests, 32 long", certificateKeys: {} };
/** The same with all that a cluster may need, on machines of either source. */
export const ALL_SECRETS = {
  ...SECRETS,
  certificateKeys: { www: "key" },
  sshPrivateKey: "an SSH key",
  vrrpPassword: "hunter2",
};
export const RISK = { acceptedBy: "J. Doe", on: "2026-11-22" };

export interface Case {
  /** What the file says now; what stands was built from the plain dual stack. */
  now: Raw;
  stack?: string;
  before?: Raw;
  state?: (resources: Resource[]) => Resource[];
  /** What a killed run had begun, of what stood before. */
  pending?: (resources: Resource[]) => Pending[];
}

/** Somebody deleted it, and the state was refreshed. */
export const withoutPort =
  (name: string) =>
  (all: Resource[]): Resource[] =>
    all.filter(({ urn }) => !urn.endsWith(`Port::${name}`));

export function found({
  now,
  stack = "dev",
  before = dualStack(),
  state = (all) => all,
  pending = () => [],
}: Case): Problem[] {
  const built = stateOf(plan(specOf(before)));
  const standing = deployed(state(built), pending(built));
  const { spec, problems } = validate(now, stack, standingOf(standing));
  if (!spec) throw new Error(formatProblems(problems, "test"));
  const planned = plan(spec);
  const intent = { mayDelete: spec.mayDelete, mayReplace: spec.mayReplace, mayRepair: [] };
  return refusals(planned, intent, SECRETS, standing, changeOf(planned, standing, intent));
}

/** One problem, with that path. */
export function refuses(title: string, changed: Case, path: string, cause: RegExp, mend: RegExp): void {
  test(title, () => {
    const problems = found(changed);
    assert.deepEqual(
      problems.map((problem) => problem.path),
      [path],
      formatProblems(problems, "change"),
    );
    assert.match(problems[0]!.cause, cause);
    assert.match(problems[0]!.mend, mend);
  });
}
