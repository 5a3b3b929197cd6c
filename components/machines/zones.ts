import * as openstack from "@pulumi/openstack";
import type { Change, Pair } from "../../change/change";
import { pathOf } from "../../change/refuse";
import type { Problem } from "../../config/problems";

/**
 * A zone that the file calls otherwise than the state: Nova knows whether the server stands there already, since its
 * provider renamed the zone or a slip is being mended, or whether it would have to move.
 */
export async function askNova({ rezoned }: Change): Promise<Problem[]> {
  const problems = await Promise.all(rezoned.map(ofServer));
  const first = new Map(problems.flatMap((each) => (each ? [[each.path, each] as const] : [])));
  return [...first.values()];
}

async function ofServer({ planned, standing }: Pair): Promise<Problem | undefined> {
  const path = `${pathOf(planned)}.availabilityZone`;
  const wanted = planned.availabilityZone;
  let zone: string;
  try {
    zone = (await openstack.compute.getInstanceV2({ id: standing.machine })).availabilityZone;
  } catch (error) {
    return {
      path,
      cause: `is ${wanted}, the state says ${standing.zone}, and Nova can't be asked where ${standing.hostname} stands: ${error instanceof Error ? error.message : String(error)}`,
      mend: "if the server is gone, `pulumi up --refresh` with the old zone makes it anew; then change the zone",
    };
  }
  if (zone === wanted) return undefined;
  return {
    path,
    cause: `is ${wanted}, but ${standing.hostname} runs in ${zone}: a server that runs is not moved, and its data would be lost`,
    mend: `write ${zone}`,
  };
}
