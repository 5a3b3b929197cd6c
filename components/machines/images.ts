import * as openstack from "@pulumi/openstack";
import type { Change, Pair, PlannedServer } from "../../change/change";
import { imageOf } from "../../change/checks/machines";
import type { Deployed, DeployedServer } from "../../change/deployed";
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
 * What speaks against the images that servers would be made of. MariaDB's data goes one way only: a database of another release
 * than the others could neither take their data nor give them its own. And a release has no package in the version of another
 * one. Where the images don't say what is in them nothing is said: then the new server can't join, or can't be pushed to, and the
 * others serve.
 */
export async function otherReleases(
  { packages }: Plan,
  { bundles }: Deployed,
  { created, kept, replaced, remade }: Change,
): Promise<Problem[]> {
  const databases = kept.filter(({ planned }) => planned.role === "database");
  const joining = [...created, ...[...replaced, ...remade].map(({ planned }) => planned)];
  const problems = await Promise.all([
    ...joining
      .filter(({ role }) => role === "database")
      .flatMap((node) =>
        databases.filter(({ planned }) => planned.id !== node.id).map(({ standing }) => besides(node, standing)),
      ),
    ...replaced
      .filter(({ planned }) => planned.role === "load-balancer")
      .map((pair) => {
        const known = (bundles[pair.planned.id] ?? "").split("\n");
        const old = packages.map(({ name, version }) => `${name} ${version}`).filter((line) => known.includes(line));
        return old.length > 0 ? withVersions(pair, old) : undefined;
      }),
  ]);
  return problems.flatMap((each) => each ?? []);
}

async function besides(node: PlannedServer, peer: DeployedServer): Promise<Problem | undefined> {
  const wanted = await releaseUnlike(node.image!, peer.imageId);
  if (wanted === undefined) return undefined;
  return {
    path: imageOf(node),
    cause: `${node.image!} is ${wanted}, and ${peer.hostname} is of another release: ${node.id} could not take its data, nor give it its own`,
    mend: "write an image of the release that it has",
  };
}

async function withVersions({ planned, standing }: Pair, versions: readonly string[]): Promise<Problem | undefined> {
  const wanted = await releaseUnlike(planned.image!, standing.imageId);
  if (wanted === undefined) return undefined;
  return {
    path: "loadBalancers.packages",
    cause: `${planned.image!} is ${wanted}, and ${listNames(versions)} came with the release that ${standing.hostname} is of`,
    mend: "take this key out of the file, or write versions that the new release has, if no load balancer stays on the old one",
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
    if (!distribution.includes(id) || release.includes(id)) return undefined;
    const names = os_distro === "debian" ? pointReleases(os_version) : [];
    const builds = await Promise.all(names.map((each) => ids({ os_distro, os_version: each })));
    return builds.flat().includes(id) ? undefined : `${os_distro} ${os_version}`;
  } catch {
    // Where there is no such image, that is said by imageId.
    return undefined;
  }
}

/** All that Debian calls one release: some providers write 12, some 12.7. */
function pointReleases(version: string): string[] {
  const [major] = version.split(".");
  return [major!, ...Array.from({ length: 20 }, (_, point) => `${major}.${point}`)];
}

async function ids(properties: Record<string, string>): Promise<string[]> {
  return (await openstack.images.getImageIds({ properties })).ids;
}
