import * as openstack from "@pulumi/openstack";
import type { Replacement } from "../../change/change";
import { imageOf } from "../../change/checks/machines";
import type { Problem } from "../../config/problems";
import { listNames } from "../../config/shape/words";
import type { Plan } from "../../plan/plan";

/** Glance's id of the newest image of that name, or why there is none. */
export async function imageId(name: string): Promise<{ id?: string; why?: string }> {
  try {
    return { id: (await openstack.images.getImage({ name, mostRecent: true })).id };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * MariaDB's data goes one way only: a server of another release could neither give it to the others nor take it from them.
 * And a release has no package in the version of another one. Where the images don't say what is in them it is allowed: then the
 * new server can't join, or can't be pushed to, and the others serve.
 */
export async function otherRelease(plan: Plan, { planned, standing }: Replacement): Promise<Problem | undefined> {
  const pinned = planned.role === "load-balancer" ? plan.packages : [];
  if (planned.image === undefined || (planned.role !== "database" && pinned.length === 0)) return undefined;
  const wanted = await releaseUnlike(planned.image, standing.imageId);
  if (wanted === undefined) return undefined;
  const unlike = `${planned.image} is ${wanted}, and ${standing.hostname} is of another release`;
  return planned.role === "database"
    ? {
        path: imageOf(planned),
        cause: `${unlike}: its MariaDB could not take the others' data, nor give them its own`,
        mend: `write an image of the release that it has, or leave ${planned.id} out of \`mayReplace\``,
      }
    : {
        path: "loadBalancers.packages",
        cause: `${unlike}: it has no ${listNames(pinned.map(({ name, version }) => `${name} ${version}`))}`,
        mend: "take this key out of the file until all load balancers are of the new release, then write the versions that it has",
      };
}

/**
 * What an image says that it holds (os_distro and os_version; Glance's documentation, "Image property keys"), where another one
 * says that it holds another release of the same distribution. Of that one only the id is known, and the provider looks images up
 * by their names alone: so all are asked for that say the same.
 */
async function releaseUnlike(name: string, id: string): Promise<string | undefined> {
  try {
    const image = await openstack.images.getImage({ name, mostRecent: true });
    const { os_distro, os_version } = image.properties as Record<string, string | undefined>;
    if (os_distro === undefined || os_version === undefined) return undefined;
    const [distribution, release] = await Promise.all([ids({ os_distro }), ids({ os_distro, os_version })]);
    return distribution.includes(id) && !release.includes(id) ? `${os_distro} ${os_version}` : undefined;
  } catch {
    // Where there is no such image, that is said by imageId.
    return undefined;
  }
}

async function ids(properties: Record<string, string>): Promise<string[]> {
  return (await openstack.images.getImageIds({ properties })).ids;
}
