import type { Problem } from "../config/problems";
import type { Secrets, Spec } from "../config/spec";
import type { Plan } from "../plan/plan";
import type { Change } from "./change";
import { departures } from "./checks/departures";
import { endpoints } from "./checks/endpoints";
import { internalNetwork, moves, names, rootSecret, source, user } from "./checks/identity";
import { unfinished, unprepared } from "./checks/machines";
import { vrrp } from "./checks/vrrp";
import type { Deployed } from "./deployed";

/**
 * Why a change must not be made: a server that runs would be replaced, moved, or deleted with data, and nobody said so; or
 * everything behind a name would be new at once. Each with the way that gets there. Pure.
 */
export function refusals(
  plan: Plan,
  { mayDelete }: Pick<Spec, "mayDelete">,
  secrets: Secrets,
  deployed: Deployed,
  change: Change,
): Problem[] {
  if (change.first) return [];
  if (plan.source === "existing") return [source(deployed)];
  const network = internalNetwork(plan, deployed);
  return [
    ...names(plan, deployed),
    ...network,
    ...(network.length > 0 ? [] : moves(change)),
    ...(plan.sshUser === (deployed.sshUser ?? plan.sshUser) ? [] : [user(plan, deployed)]),
    ...rootSecret(secrets, deployed),
    ...departures(deployed, change, mayDelete),
    ...endpoints(plan, deployed, change),
    ...vrrp(plan, deployed, change),
    ...unfinished(change),
    ...unprepared(change),
  ];
}
