import { decide, type Decision, nothing } from "./decide";
import type { Inventory } from "./inventory";
import { type Deployment, withAdopted } from "./state";

/** As often as something new is found: what is known of a network tells which its ports are. */
export const ROUNDS = 4;

/** All that can be known without the stack file, in as many rounds as it takes. */
export function inTheCloud(before: Deployment, cloud: Inventory): { deployment: Deployment; decision: Decision } {
  let deployment = before;
  const all = nothing();
  for (let round = 0; round < ROUNDS; round++) {
    const { adopted, deleted, unclear, forgotten, missing } = decide(deployment, cloud);
    all.adopted.push(...adopted);
    if (round === 0) all.deleted.push(...deleted);
    if (adopted.length === 0 || round === ROUNDS - 1) {
      return { deployment, decision: { ...all, unclear, forgotten, missing } };
    }
    deployment = withAdopted(deployment, adopted);
  }
  return { deployment, decision: all };
}
