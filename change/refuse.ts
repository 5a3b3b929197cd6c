import { firstOfEach, type Problem } from "../config/problems";
import type { Secrets } from "../config/spec";
import type { Plan } from "../plan/plan";
import { type Change, type Cloud, type Intent, UNASKED } from "./change";
import { collisions } from "./checks/addresses";
import { departures } from "./checks/departures";
import { endpoints } from "./checks/endpoints";
import { internalNetwork, moves, names, rootSecret, source, user } from "./checks/identity";
import { atOnce, unfinished, unprepared } from "./checks/machines";
import { transitions, unheard, unheardHosts } from "./checks/transitions";
import { room, strangers } from "./checks/zones";
import type { Deployed } from "./deployed";

/** Environment variable with the host names, with commas between, of servers that `npm run replace` means to replace. */
export const MAY_REPLACE = "HA_CLUSTER_MAY_REPLACE";

/**
 * Why a change must not be made: a server that runs would be replaced, moved, or deleted with data, and nobody said so; or
 * everything behind a name would be new at once. Each with the way that gets there. Pure.
 */
export function refusals(
  plan: Plan,
  { mayDelete }: Pick<Intent, "mayDelete">,
  secrets: Secrets,
  deployed: Deployed,
  change: Change,
  cloud: Cloud = UNASKED,
): Problem[] {
  if (plan.source === "existing") return change.first ? unheardHosts(plan, deployed) : [source(deployed)];
  if (change.first) return [];
  const network = internalNetwork(plan, deployed);
  return [
    ...names(plan, deployed),
    ...network,
    ...(network.length > 0 ? [] : moves(change)),
    ...user(plan, deployed, change),
    ...rootSecret(secrets, deployed),
    ...departures(deployed, change, mayDelete),
    ...endpoints(plan, deployed, change),
    ...unheard(plan, deployed, change),
    ...transitions(plan, deployed, change),
    ...collisions(plan, deployed, change),
    ...unfinished(change),
    ...unprepared(change),
    ...atOnce(change),
    ...firstOfEach([...strangers(change, cloud), ...room(change, cloud)]),
  ];
}
