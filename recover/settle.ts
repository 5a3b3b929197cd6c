import { decide, type Decision, nothing } from "./decide";
import type { Inventory } from "./inventory";
import { type Deployment, withAdopted } from "./state";

/** As often as something new is found: what is known of a network tells which its ports are. */
export const ROUNDS = 4;

/** All that can be known without the stack file, in as many rounds as it takes. */
export function inTheCloud(before: Deployment, cloud: Inventory): { deployment: Deployment; decision: Decision } {
  let [deployment, last] = [before, nothing()];
  const adopted: Decision["adopted"] = [];
  for (let round = 0; round < ROUNDS; round++) {
    last = decide(deployment, cloud);
    if (last.adopted.length === 0) break;
    adopted.push(...last.adopted);
    deployment = withAdopted(deployment, last.adopted);
  }
  return { deployment, decision: { ...last, adopted } };
}
