import * as openstack from "@pulumi/openstack";
import type { Change, Cloud, Intent, Pair } from "../../change/change";
import { flavorOf, pathOf } from "../../change/checks/machines";
import { zoneOf } from "../../change/checks/zones";
import type { Deployed } from "../../change/deployed";
import { firstOfEach, type Problem } from "../../config/problems";
import type { Plan } from "../../plan/plan";
import { imageId, imageOf, otherRelease } from "./images";

/*
 * What only the cloud knows. It is asked as little as can be: every preview waits for it.
 */

/** Of what servers would be made, and where those stand whose zone the file calls otherwise than the state. */
export async function askCloud(
  { created, kept, rezoned }: Change,
  { mayReplace }: Pick<Intent, "mayReplace">,
): Promise<{ cloud: Cloud; problems: Problem[] }> {
  const made = [...created, ...kept.map(({ planned }) => planned).filter(({ id }) => mayReplace.includes(id))];
  const names = [...new Set(made.flatMap(({ image }) => image ?? []))];
  const images = await Promise.all(names.map(async (name) => [name, await imageId(name)] as const));
  const zones = await Promise.all(rezoned.map(async (pair) => [pair, await nova(pair.standing.machine)] as const));
  const found = images.flatMap(([name, { id }]) => (id === undefined ? [] : [[name, id] as const]));
  return {
    cloud: {
      images: Object.fromEntries(found),
      zones: Object.fromEntries(
        zones.flatMap(([{ planned }, server]) =>
          typeof server === "string" ? [] : [[planned.id, server.availabilityZone]],
        ),
      ),
    },
    problems: [
      ...images.flatMap(([name, { why }]) =>
        why === undefined
          ? []
          : [
              {
                path: imageOf(made.find(({ image }) => image === name)!),
                cause: `${name} is no image of this cloud: ${why}`,
                mend: "`openstack image list` shows them",
              },
            ],
      ),
      ...firstOfEach(zones.flatMap(([pair, server]) => (typeof server === "string" ? [unasked(pair, server)] : []))),
    ],
  };
}

/** Reasons against a change that only the cloud knows. */
export async function objections(plan: Plan, deployed: Deployed, change: Change): Promise<Problem[]> {
  const failed = change.kept.filter(({ standing }) => standing.failed !== undefined);
  const problems = await Promise.all([
    externalNetwork(plan, deployed),
    ...failed.map(ofFailure),
    ...change.resized.map(ofFlavor),
    ...change.replaced.map(otherRelease),
  ]);
  return firstOfEach(problems.flatMap((each) => each ?? []));
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

function unasked({ planned, standing }: Pair, why: string): Problem {
  return {
    path: zoneOf(planned),
    cause: `is ${planned.availabilityZone}, the state says ${standing.zone}, and Nova can't be asked where ${standing.hostname} stands: ${why}`,
    mend: "if the server is gone, `pulumi up --refresh` with the old zone makes it anew; then change the zone",
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
