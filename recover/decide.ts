import { CUSTOMER } from "../plan/mark";
import { nameOf } from "../verify/gather/state";
import type { Inventory, Server } from "./inventory";
import { KINDS } from "./match";
import type { Deployment, Resource } from "./state";

/** What becomes of the state, so that it and the cloud know each other again. */
export interface Decision {
  /** What is in the cloud and not in the state, or there under an id that is gone: the state gets it. */
  adopted: Adopted[];
  /** There is more than one that it could be. */
  unclear: { urn: string; word: string; ids: string[] }[];
  /** What had been begun, and left nothing behind. */
  forgotten: string[];
  /** What the state has and the cloud has not. */
  missing: string[];
}

export interface Adopted {
  /** As the state is to have it. */
  resource: Resource;
  id: string;
  /** The id that the state had, of which the cloud knows nothing. */
  instead?: string;
}

export function nothing(): Decision {
  return { adopted: [], unclear: [], forgotten: [], missing: [] };
}

/**
 * Of what a run had begun to create when it was cut, and of what the state has and the cloud has not.
 *
 * @param wanted beside them, what the next run would create, as its preview has it
 */
export function decide(deployment: Deployment, cloud: Inventory, wanted: readonly Resource[] = []): Decision {
  const decision = nothing();
  const { resources = [], pending_operations: pending = [] } = deployment;
  const known = new Set(resources.flatMap(({ type, id }) => (id === undefined ? [] : [`${type} ${id}`])));
  const standing = new Set(resources.filter((each) => each.delete !== true).map(({ urn }) => urn));
  const begun = pending
    .filter(({ type, resource }) => type === "creating" && resource.type in KINDS)
    .map(({ resource }) => resource)
    .filter(({ urn }) => !standing.has(urn));
  const lost = lostIn(deployment, cloud);
  const others = wanted.filter(
    ({ urn, type }) => type in KINDS && !standing.has(urn) && !begun.some((each) => each.urn === urn),
  );
  for (const resource of [...begun, ...lost, ...others]) {
    const kind = KINDS[resource.type]!;
    const ids = kind.find(resource.inputs ?? {}, cloud).filter((id) => !known.has(`${resource.type} ${id}`));
    const [id, ...more] = ids;
    if (more.length > 0) decision.unclear.push({ urn: resource.urn, word: kind.word, ids });
    else if (id !== undefined)
      decision.adopted.push({ resource, id, ...(resource.id !== undefined && { instead: resource.id }) });
    else if (begun.includes(resource)) decision.forgotten.push(resource.urn);
    else if (lost.includes(resource)) decision.missing.push(resource.urn);
  }
  return decision;
}

/** What the state has and the cloud has not. Of a resource that is between its delete and its create, the state has the old id. */
export function lostIn({ resources = [] }: Deployment, cloud: Inventory): Resource[] {
  return resources.filter(({ type, id, delete: goes }) => {
    const ids = KINDS[type]?.ids(cloud);
    return goes !== true && ids !== undefined && id !== undefined && !ids.includes(id);
  });
}

/** The cloud is not the one that the state is of, or it was wiped. */
export class OtherCloud extends Error {}

/** @throws {OtherCloud} when the cloud has hardly anything of what the state has, as it would be taken for the same */
export function assertSame(deployment: Deployment, cloud: Inventory): void {
  const all = (deployment.resources ?? []).filter(
    ({ type, id, delete: goes }) => goes !== true && id !== undefined && KINDS[type]?.ids(cloud) !== undefined,
  );
  const lost = lostIn(deployment, cloud).length;
  if (all.length > 3 && lost > all.length / 2)
    throw new OtherCloud(
      `nothing was changed: ${lost} of ${all.length} things that the state has are not in this cloud. Is it the right one (OS_CLOUD, its region and project)?`,
    );
}

/** Whether nothing can be on it: Nova gave it up before it ran, and it says that it is a cluster's. */
export function neverRan({ status, metadata, "OS-SRV-USG:launched_at": launched }: Server): boolean {
  return status === "ERROR" && (launched ?? null) === null && CUSTOMER in metadata;
}

/** In words, one line each. */
export function saidOfAll({ adopted, unclear, forgotten, missing }: Decision): string[] {
  const word = (type: string): string => KINDS[type]!.word;
  return [
    ...adopted.map(({ resource: { urn, type }, id, instead }) =>
      instead === undefined
        ? `${word(type)} ${nameOf(urn)}: it is there (${id}), the state gets it`
        : `${word(type)} ${nameOf(urn)}: the state has ${instead}, which is gone, and gets ${id}`,
    ),
    ...unclear.map(
      ({ urn, word: what, ids }) =>
        `${what} ${nameOf(urn)}: it could be any of ${ids.join(", ")}. Delete those that nobody uses, and run this again`,
    ),
    ...(forgotten.length === 0 ? [] : [`begun, and not there: ${forgotten.map(nameOf).join(", ")}`]),
    ...(missing.length === 0
      ? []
      : [
          `in the state, and gone from the cloud: ${missing.map(nameOf).join(", ")}; \`pulumi up --refresh\` makes it anew`,
        ]),
  ];
}

/** What says that it is this cluster's, and no resource of the state does: somebody has to look. */
export function strangers({ resources = [] }: Deployment, cloud: Inventory): string[] {
  const known = new Set(resources.map(({ id }) => id));
  const network = resources.find(({ type }) => type === "openstack:networking/network:Network");
  const mark = network?.inputs?.["description"];
  if (typeof mark !== "string") return [];
  const marked = ({ id, description = "" }: { id: string; description?: string }): boolean =>
    !known.has(id) && (description === mark || description.startsWith(`${mark}: `));
  const lines = (word: string, found: readonly { id: string; name: string }[]): string[] =>
    found.map(({ id, name }) => `${word} ${name} (${id})`);
  return [
    ...lines(
      "server",
      cloud.servers.filter(({ id, metadata }) => !known.has(id) && mark === `ha-cluster ${metadata[CUSTOMER] ?? ""}`),
    ),
    ...lines("port", cloud.ports.filter(marked)),
    ...lines("subnet", cloud.subnets.filter(marked)),
    ...lines("network", cloud.networks.filter(marked)),
    ...lines("security group", cloud.groups.filter(marked)),
  ];
}
