import { createHash } from "node:crypto";
import { HALF_RECOVERED } from "../plan/mark";
import { clear, COMMAND, INSTANCE, secret } from "../verify/gather/state";
import type { Adopted } from "./decide";

/** One resource of a deployment, as `pulumi stack export` has it: secrets stay encrypted, and all else is carried along. */
export interface Resource {
  urn: string;
  type: string;
  id?: string;
  parent?: string;
  provider?: string;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  delete?: boolean;
  initErrors?: string[];
  pendingReplacement?: boolean;
  [more: string]: unknown;
}

export interface Deployment {
  resources?: Resource[];
  pending_operations?: { type: string; resource: Resource }[];
  [more: string]: unknown;
}

/**
 * The deployment with what was found in the cloud, marked until a refresh has read it. `pulumi stack import` drops pending
 * operations, so that none is left of what was begun.
 *
 * @param planned where the parents are that the state has not
 */
export function withAdopted(
  deployment: Deployment,
  adopted: readonly Adopted[],
  planned: readonly Resource[] = [],
): Deployment {
  const renamed = new Map(
    adopted.flatMap(({ id, instead }) => (instead === undefined ? [] : [[instead, id] as const])),
  );
  const resources = (deployment.resources ?? []).map((each) => withIds(each, renamed));
  for (const { resource, id } of adopted) {
    for (const parent of ancestors(resource, planned))
      if (!resources.some(({ urn }) => urn === parent.urn))
        insert(resources, withKnown(parent, new Set(resources.map(({ urn }) => urn))));
    const at = resources.findIndex((each) => each.urn === resource.urn && each.delete !== true);
    const known = new Set(resources.map(({ urn }) => urn));
    const rest = { ...(at < 0 ? withIds(resource, renamed) : resources[at]!) };
    delete rest.pendingReplacement;
    const outputs = rest.outputs ?? outputsFrom(rest);
    const entry = withKnown({ ...rest, id, outputs: { ...outputs, id }, initErrors: [HALF_RECOVERED] }, known);
    if (at < 0) insert(resources, entry);
    else resources[at] = entry;
  }
  const pending = (deployment.pending_operations ?? []).map(({ type, resource }) => ({
    type,
    resource: withIds(resource, renamed),
  }));
  return { ...deployment, resources, pending_operations: pending };
}

/** From the outermost on. */
function ancestors({ parent }: Resource, planned: readonly Resource[]): Resource[] {
  const found = planned.find(({ urn }) => urn === parent);
  return found === undefined ? [] : [...ancestors(found, planned), found];
}

/** As early as it can stand: whoever depends on it may be in the state already, and has to come after it. */
function insert(resources: Resource[], entry: Resource): void {
  const { parent, provider, dependencies = [] } = entry;
  const before = [parent, provider?.slice(0, provider.lastIndexOf("::")), ...dependencies];
  const at = Math.max(...before.map((urn) => resources.findLastIndex((each) => each.urn === urn)));
  resources.splice(at + 1, 0, entry);
}

/** What is at hand before the first refresh: without any outputs, the provider would take the inputs for unknown as well. */
function outputsFrom({ type, inputs = {} }: Resource): Record<string, unknown> {
  const known = withoutDefaults(inputs) as Record<string, unknown>;
  const { userData } = known;
  if (type !== INSTANCE || userData === undefined) return known;
  const hash = createHash("sha1")
    .update(String(clear(userData)))
    .digest("hex");
  return { ...known, userData: secret(hash) };
}

/** Of a Command's inputs only what it says is known: on the machine that has the new id, nobody knows what has arrived. */
function withIds(resource: Resource, renamed: ReadonlyMap<string, string>): Resource {
  if (renamed.size === 0 || resource.type === COMMAND) return resource;
  const { inputs, outputs } = resource;
  return {
    ...resource,
    ...(inputs && { inputs: renamedIn(inputs, renamed) as Record<string, unknown> }),
    ...(outputs && { outputs: renamedIn(outputs, renamed) as Record<string, unknown> }),
  };
}

function renamedIn(value: unknown, renamed: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return renamed.get(value) ?? value;
  if (Array.isArray(value)) return value.map((each) => renamedIn(each, renamed));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renamedIn(each, renamed)]));
}

/** Pulumi's note of which inputs it filled in. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (key === "__defaults" ? [] : [[key, withoutDefaults(each)]])),
  );
}

/** Pulumi refuses a state that names what it has not; the next run writes them anew. */
function withKnown(resource: Resource, known: ReadonlySet<string>): Resource {
  const { dependencies, propertyDependencies } = resource;
  const kept = (urns: readonly string[]): string[] => urns.filter((urn) => known.has(urn));
  return {
    ...resource,
    ...(dependencies && { dependencies: kept(dependencies) }),
    ...(propertyDependencies && {
      propertyDependencies: Object.fromEntries(
        Object.entries(propertyDependencies).map(([key, urns]) => [key, kept(urns)]),
      ),
    }),
  };
}
