import * as openstack from "@pulumi/openstack";
import {
  type Change,
  type Cloud,
  type Matched,
  everyServer,
  type Intent,
  type Pair,
  type PlannedServer,
} from "../../change/change";
import { flavorOf, imageOf, pathOf } from "../../change/checks/machines";
import { zoneOf } from "../../change/checks/zones";
import type { Deployed } from "../../change/deployed";
import { firstOfEach, type Problem } from "../../config/problems";
import { listNames } from "../../config/shape/words";
import type { Plan } from "../../plan/plan";
import { noSubnets } from "./addresses";
import { imageId, otherReleases } from "./images";
import { taken } from "./taken";

/*
 * What only the cloud knows. It is asked as little as can be: every preview waits for it.
 */

/** What the images are that servers would be made of, and where those stand whose zone the file calls otherwise than the state. */
export async function askCloud(
  plan: Plan,
  { created, kept, unfinished, rezoned }: Matched,
  { mayReplace }: Pick<Intent, "mayReplace">,
): Promise<{ cloud: Cloud; problems: Problem[] }> {
  const named = kept.map(({ planned }) => planned).filter(({ id }) => mayReplace.includes(id));
  const made = [...created, ...unfinished.map(({ planned }) => planned), ...named];
  const names = [...new Set(everyServer(plan).flatMap(({ image }) => image ?? []))];
  const [images, zones, places] = await Promise.all([
    Promise.all(names.map(async (name) => [name, await imageId(name)] as const)),
    Promise.all(rezoned.map(async (pair) => [pair, await nova(pair.standing.machine)] as const)),
    made.length > 0 ? zonesOfCloud() : undefined,
  ]);
  return {
    cloud: {
      images: Object.fromEntries(images.flatMap(([name, { id }]) => (id === undefined ? [] : [[name, id] as const]))),
      zones: Object.fromEntries(
        zones.flatMap(([{ planned }, server]) =>
          typeof server === "string" ? [] : [[planned.id, server.availabilityZone]],
        ),
      ),
    },
    problems: firstOfEach([
      ...made.flatMap((node) => {
        const why = images.find(([name]) => name === node.image)?.[1].why;
        return why === undefined ? [] : [noImage(names.length === 1 ? "image" : imageOf(node), node, why)];
      }),
      ...made.flatMap((node) => (places && !places.includes(node.availabilityZone) ? [noZone(node, places)] : [])),
      ...zones.flatMap(([pair, server]) => (typeof server === "string" ? [unasked(pair, server)] : [])),
    ]),
  };
}

function noImage(path: string, node: PlannedServer, why: string): Problem {
  return {
    path,
    cause: `${node.image!} is no image of this cloud: ${why}`,
    mend: "`openstack image list` shows them",
  };
}

function noZone(node: PlannedServer, names: readonly string[]): Problem {
  return {
    path: zoneOf(node),
    cause: `is ${node.availabilityZone}, and this cloud has ${listNames(names)}`,
    mend: "write one of these",
  };
}

/** Names of the zones that take servers; undefined where this user may not ask. */
async function zonesOfCloud(): Promise<string[] | undefined> {
  try {
    return (await openstack.compute.getAvailabilityZones({})).names;
  } catch {
    return undefined;
  }
}

/** Reasons against a change that only the cloud knows. */
export async function objections(plan: Plan, deployed: Deployed, change: Change): Promise<Problem[]> {
  const failed = change.kept.filter(
    ({ planned, standing }) => standing.failed !== undefined && change.held.includes(planned.id),
  );
  const releases = otherReleases(plan, deployed, change);
  const [held, ...problems] = await Promise.all([
    taken(plan, deployed, change),
    externalNetwork(plan, deployed),
    ...noSubnets(plan, deployed, change),
    ...failed.map(ofFailure),
    ...change.resized.map((pair) => ofFlavor(pair, { onDisk: true })),
    ...change.replaced.map((pair) => ofFlavor(pair, { onDisk: false })),
  ]);
  return [...firstOfEach([...problems.flatMap((each) => each ?? []), ...(await releases)]), ...held];
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

/**
 * What Nova would refuse when the server has said farewell already.
 *
 * @param options.onDisk the disk stays, and Nova makes none smaller
 */
async function ofFlavor({ planned, standing }: Pair, { onDisk }: { onDisk: boolean }): Promise<Problem | undefined> {
  const wanted = planned.flavor ?? "";
  const path = flavorOf(planned);
  if (!onDisk && wanted === standing.flavor) return undefined;
  const [now, then] = await Promise.all([disk(standing.flavor), disk(wanted)]);
  if (typeof then === "string") {
    return { path, cause: `${wanted} is no flavor of this cloud: ${then}`, mend: "`openstack flavor list` shows them" };
  }
  // The old one may have been retired: then Nova has the last word.
  if (!onDisk || typeof now === "string" || then >= now) return undefined;
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
