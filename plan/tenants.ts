import type { NamedFile } from "../config/folder";
import type { Problem } from "../config/problems";
import type { Spec } from "../config/spec";
import { validate } from "../config/validate";
import { type Plan, plan } from "./plan";

/** A customer of the provider, by its stack file: what it has may be nobody else's. */
export interface Tenant {
  /** Its name without the folder; messages name it. */
  file: string;
  /** `openstack:cloud`; the environment says it where the file doesn't. */
  cloud?: string;
  spec: Spec;
  plan: Plan;
}

/**
 * What stands of them is not known, only what their files say.
 *
 * @returns also what to say of files that can't be compared: theirs is no reason to refuse this one
 */
export function tenantsOf(files: readonly NamedFile[]): { tenants: Tenant[]; warnings: Problem[] } {
  const tenants: Tenant[] = [];
  const warnings: Problem[] = [];
  for (const { file, stack, raw, cloud, problems: unreadable } of files) {
    const { spec, problems } = unreadable.length > 0 ? { problems: unreadable } : validate(raw, stack);
    if (spec) {
      tenants.push({ file, ...(cloud !== undefined && { cloud }), spec, plan: plan(spec) });
      continue;
    }
    warnings.push({
      path: `(${file})`,
      cause: `can't be compared with this stack, so that nobody knows whether both have the same addresses: it has problems of its own, the first at ${problems[0]!.path}`,
      mend: `\`npm run plan -- ${stack} --alone\` shows them`,
    });
  }
  return { tenants, warnings };
}
