import * as openstack from "@pulumi/openstack";
import type { Replacement } from "../../change/change";
import { imageOf } from "../../change/checks/machines";
import type { Problem } from "../../config/problems";

/** Properties by which Glance's images say what is in them (its documentation, "Image property keys"). */
const RELEASE = ["os_distro", "os_version"] as const;

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
 * Where the images don't say what is in them it is allowed: then the new server can't join, and the others serve.
 */
export async function otherRelease({ planned, standing }: Replacement): Promise<Problem | undefined> {
  if (planned.role !== "database" || planned.image === undefined) return undefined;
  let wanted: Record<string, string>, known: string[], alike: string[];
  try {
    wanted = await releaseOf(planned.image);
    if (Object.keys(wanted).length === 0) return undefined;
    [known, alike] = await Promise.all([ids({}), ids(wanted)]);
  } catch {
    // Where there is no such image, that is said by imageId.
    return undefined;
  }
  if (!known.includes(standing.imageId) || alike.includes(standing.imageId)) return undefined;
  return {
    path: imageOf(planned),
    cause: `${planned.image} is ${Object.values(wanted).join(" ")}, and ${standing.hostname} is of another release: its MariaDB could not take the others' data, nor give them its own`,
    mend: `write an image of the release that it has, or leave ${planned.id} out of \`mayReplace\``,
  };
}

async function releaseOf(name: string): Promise<Record<string, string>> {
  const { properties } = await openstack.images.getImage({ name, mostRecent: true });
  return Object.fromEntries(
    RELEASE.flatMap((key) => (properties?.[key] === undefined ? [] : [[key, properties[key]]])),
  );
}

async function ids(properties: Record<string, string>): Promise<string[]> {
  return (await openstack.images.getImageIds({ properties })).ids;
}
