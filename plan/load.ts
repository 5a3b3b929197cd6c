import type { Problem } from "../config/problems";
import type { Secrets, Spec } from "../config/spec";
import { validate } from "../config/validate";
import { checkPlan } from "./check";
import { type Plan, plan } from "./plan";

export type Loaded =
  | { plan: Plan; spec: Spec; secrets: Secrets; problems: [] }
  | { plan?: undefined; spec?: undefined; secrets?: undefined; problems: Problem[] };

/** From what a stack says to its plan, or every reason why there is none. */
export function load(raw: Record<string, unknown>, stack: string): Loaded {
  const { spec, secrets, problems } = validate(raw, stack);
  if (!spec) return { problems };
  const planned = plan(spec);
  const clashes = checkPlan(spec, planned);
  return clashes.length > 0 ? { problems: clashes } : { plan: planned, spec, secrets, problems: [] };
}
