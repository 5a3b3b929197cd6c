import * as openstack from "@pulumi/openstack";
import type { Change, Pair } from "../../change/change";
import { flavorOf, pathOf } from "../../change/checks/machines";
import type { Deployed } from "../../change/deployed";
import type { Problem } from "../../config/problems";
import type { Plan } from "../../plan/plan";

/** Reasons against a change that only the cloud knows. It is asked as little as can be: every preview waits for it. */
export async function askCloud(plan: Plan, deployed: Deployed, { rezoned, resized, kept }: Change): Promise<Problem[]> {
  const failed = kept.filter(({ standing }) => standing.failed !== undefined);
  const problems = await Promise.all([
    externalNetwork(plan, deployed),
    ...rezoned.map(ofZone),
    ...failed.map(ofFailure),
    ...resized.map(ofFlavor),
  ]);
  const first = new Map(problems.flatMap((each) => (each ? [[each.path, each] as const] : [])));
  return [...first.values()];
}

/** A network of another name may be the same one; ports on another would be new ports, and their servers new servers. */
async function externalNetwork(plan: Plan, { externalNetwork: now }: Deployed): Promise<Problem | undefined> {
  if (now === undefined || plan.source === "existing") return undefined;
  const { id } = await openstack.networking.getNetwork({ name: plan.external.network });
  if (id === now) return undefined;
  return {
    path: "external.network",
    cause: `${plan.external.network} is another network than the one that the load balancers are on: all of them would be replaced at once`,
    mend: "write the name of the network that they are on; another network is another stack",
  };
}

/**
 * A zone that the file calls otherwise than the state: Nova knows whether the server stands there already, since its
 * provider renamed the zone or a slip is being mended, or whether it would have to move.
 */
async function ofZone({ planned, standing }: Pair): Promise<Problem | undefined> {
  const path = `${pathOf({ ...planned, role: "load-balancer" } as Pair["planned"])}.availabilityZone`;
  const wanted = planned.availabilityZone;
  const server = await nova(standing.machine);
  if (typeof server === "string") {
    return {
      path,
      cause: `is ${wanted}, the state says ${standing.zone}, and Nova can't be asked where ${standing.hostname} stands: ${server}`,
      mend: "if the server is gone, `pulumi up --refresh` with the old zone makes it anew; then change the zone",
    };
  }
  if (server.availabilityZone === wanted) return undefined;
  return {
    path,
    cause: `is ${wanted}, but ${standing.hostname} runs in ${server.availabilityZone}: a server that runs is not moved, and its data would be lost`,
    mend: `write ${server.availabilityZone}`,
  };
}

/** The state has the new flavor also of a server whose resize failed, so that nothing would try it again. */
async function ofFailure({ planned, standing }: Pair): Promise<Problem | undefined> {
  const server = await nova(standing.machine);
  if (typeof server !== "string" && server.flavorName === standing.flavor) return undefined;
  const now = typeof server === "string" ? server : `it still has ${server.flavorName}`;
  return {
    path: pathOf(planned),
    cause: `${standing.hostname} was to become ${standing.flavor}, which failed (${standing.failed!}); ${now}`,
    mend: "mend what that says, then `pulumi refresh`, and `pulumi up` with the new flavor or the old one: it goes on from what Nova has",
  };
}

/** Nova refuses a smaller disk, and does so when the server has said farewell already. */
async function ofFlavor({ planned, standing }: Pair): Promise<Problem | undefined> {
  const wanted = planned.flavor ?? "";
  const path = flavorOf(planned);
  const [now, then] = await Promise.all([disk(standing.flavor), disk(wanted)]);
  if (typeof then === "string") {
    return { path, cause: `${wanted} is no flavor of this cloud: ${then}`, mend: "`openstack flavor list` shows them" };
  }
  // The old one may have been retired: then Nova has the last word.
  if (typeof now === "string" || then >= now) return undefined;
  return {
    path,
    cause: `${wanted} has a disk of ${then} GiB, and ${standing.hostname} one of ${now} GiB (${standing.flavor}): Nova makes no disk smaller`,
    mend: `write a flavor with a disk of ${now} GiB or more`,
  };
}

/** GiB, or why it is not known. */
async function disk(name: string): Promise<number | string> {
  try {
    return (await openstack.compute.getFlavor({ name })).disk ?? 0;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function nova(id: string): Promise<openstack.compute.GetInstanceV2Result | string> {
  try {
    return await openstack.compute.getInstanceV2({ id });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
