import type { CloudSession } from "../verify/gather/cloud";
import { assertSame, decide, nothing, saidOfAll } from "./decide";
import { readInventory } from "./inventory";
import type { Deployment } from "./state";

/**
 * What {@link recover} would have to do before a run can go on, in words; none where state and cloud know each other.
 *
 * @param exported what `pulumi stack export` printed; it may be without secrets
 */
export async function toRecover(session: CloudSession, exported: string): Promise<string[]> {
  const { deployment } = JSON.parse(exported) as { deployment: Deployment };
  const cloud = await readInventory(session);
  assertSame(deployment, cloud);
  const { adopted, unclear } = decide(deployment, cloud);
  return saidOfAll({ ...nothing(), adopted, unclear });
}
