import type { Problem } from "../config/problems";
import { NOTHING_STANDS, type Standing } from "../config/places";
import type { Secrets, Spec } from "../config/spec";
import { validate } from "../config/validate";
import { checkPlan, warnPlan } from "./lint/check";
import { type Plan, plan } from "./plan";

export type Loaded =
  | { plan: Plan; spec: Spec; secrets: Secrets; problems: []; warnings: Problem[] }
  | { plan?: undefined; spec?: undefined; secrets?: undefined; problems: Problem[]; warnings: [] };

/**
 * From what a stack says to its plan, or every reason why there is none.
 *
 * @param now decides which certificates are valid; a plan itself never depends on it
 * @param standing what was built already, see {@link validate}
 */
export function load(
  raw: Record<string, unknown>,
  stack: string,
  now: Date,
  standing: Standing = NOTHING_STANDS,
): Loaded {
  const { spec, secrets, problems } = validate(raw, stack, standing);
  if (!spec) return { problems, warnings: [] };
  const planned = plan(spec);
  const found = checkPlan(spec, planned, now);
  if (found.length > 0) return { problems: found, warnings: [] };
  return { plan: planned, spec, secrets, problems: [], warnings: warnPlan(spec, planned, now) };
}
