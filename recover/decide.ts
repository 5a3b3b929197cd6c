import { nameOf } from "../verify/gather/state";
import type { Inventory, Server } from "./inventory";
import { CUSTOMER, markOf } from "./mark";
import { KINDS } from "./match";
import type { Deployment, Resource } from "./state";

/** What becomes of the state, and of the cloud, so that each knows the other again. */
export interface Decision {
  /** What is in the cloud and not in the state, or there under an id that is gone: the state gets it. */
  adopted: Adopted[];
  /** Servers that never ran: nothing can be on them, and the next `up` makes them. */
  deleted: (Pick<Server, "id" | "name"> & { urn: string })[];
  /** There is more than one that it could be. */
  unclear: { urn: string; name: string; word: string; ids: string[] }[];
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
  return { adopted: [], deleted: [], unclear: [], forgotten: [], missing: [] };
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
  const lost = resources.filter((each) => each.delete !== true && isGone(each, cloud));
  const others = wanted.filter(({ urn, type }) => type in KINDS && !standing.has(urn));
  for (const resource of [...begun, ...lost, ...others]) {
    const kind = KINDS[resource.type]!;
    const ids = kind.find(resource.inputs ?? {}, cloud).filter((id) => !known.has(`${resource.type} ${id}`));
    const [id, ...more] = ids;
    if (more.length > 0)
      decision.unclear.push({ urn: resource.urn, name: text(resource.inputs?.["name"]), word: kind.word, ids });
    else if (id === undefined) {
      if (begun.includes(resource)) decision.forgotten.push(resource.urn);
      if (lost.includes(resource)) decision.missing.push(resource.urn);
    } else settle(decision, resource, id, cloud);
  }
  return decision;
}

function settle(decision: Decision, resource: Resource, id: string, { servers }: Inventory): void {
  const server = servers.find((each) => each.id === id);
  if (server?.status === "ERROR" && (server["OS-SRV-USG:launched_at"] ?? null) === null)
    decision.deleted.push({ id, name: server.name, urn: resource.urn });
  else decision.adopted.push({ resource, id, ...(resource.id !== undefined && { instead: resource.id }) });
}

/** Of a resource that is between its delete and its create, the state has the old id. */
function isGone({ type, id }: Resource, cloud: Inventory): boolean {
  const kind = KINDS[type];
  return kind !== undefined && id !== undefined && !kind.ids(cloud).includes(id);
}

/** In words, one line each. */
export function saidOfAll({ adopted, deleted, unclear, forgotten, missing }: Decision): string[] {
  const word = (type: string): string => KINDS[type]!.word;
  return [
    ...adopted.map(({ resource: { urn, type }, id, instead }) =>
      instead === undefined
        ? `${word(type)} ${nameOf(urn)}: it is there (${id}), the state gets it`
        : `${word(type)} ${nameOf(urn)}: the state has ${instead}, which is gone, and gets ${id}`,
    ),
    ...deleted.map(({ urn, id }) => `server ${nameOf(urn)}: in ERROR and never ran, ${id} is deleted`),
    ...unclear.map(
      ({ urn, word: what, ids }) =>
        `${what} ${nameOf(urn)}: it could be any of ${ids.join(", ")}; left alone. Delete those that nobody uses, and run this again`,
    ),
    ...(forgotten.length === 0 ? [] : [`begun, and not there: ${forgotten.map(nameOf).join(", ")}`]),
    ...(missing.length === 0
      ? []
      : [
          `in the state, and gone from the cloud: ${missing.map(nameOf).join(", ")}; \`pulumi up --refresh\` makes it anew`,
        ]),
  ];
}

/** What says that it is this customer's, and no resource of the state does: somebody has to look. */
export function strangers({ resources = [] }: Deployment, cloud: Inventory): string[] {
  const known = new Set(resources.map(({ id }) => id));
  const customer = customerOf(resources);
  if (customer === undefined) return [];
  const mark = markOf(customer);
  const marked = ({ id, description = "" }: { id: string; description?: string }): boolean =>
    !known.has(id) && (description === mark || description.startsWith(`${mark}: `));
  const lines = (word: string, found: readonly { id: string; name: string }[]): string[] =>
    found.map(({ id, name }) => `${word} ${name} (${id})`);
  return [
    ...lines(
      "server",
      cloud.servers.filter(({ id, metadata }) => !known.has(id) && metadata[CUSTOMER] === customer),
    ),
    ...lines("port", cloud.ports.filter(marked)),
    ...lines("subnet", cloud.subnets.filter(marked)),
    ...lines("network", cloud.networks.filter(marked)),
    ...lines("security group", cloud.groups.filter(marked)),
  ];
}

/** By the name of its internal network, which is never renamed. */
function customerOf(resources: readonly Resource[]): string | undefined {
  const network = resources.find(({ type }) => type === "openstack:networking/network:Network");
  return /^(.+)-internal$/.exec(text(network?.inputs?.["name"]))?.[1];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
