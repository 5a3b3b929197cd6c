import { HALF_RECOVERED } from "../plan/mark";
import type { Pending, Resource } from "./deployed";

export const COMMAND = "command:remote:Command";

/** What was run on machines, by name: a server's id, and what it was. */
export type Commands = ReadonlyMap<string, Resource>;

export function nameOf({ urn }: Resource): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

export function input(resource: Resource | undefined, key: string): string {
  const value = resource?.inputs?.[key];
  return typeof value === "string" ? value : "";
}

/** Words that a Command was told beside what it runs; see components/remote.ts. */
export function saidIn(commands: Commands, name: string): string | undefined {
  return / # (.*)$/.exec(input(commands.get(name), "create"))?.[1];
}

/** Texts that Commands of a kind carried, by server id. */
export function bundlesIn(commands: Commands, what: string): Record<string, string> {
  return Object.fromEntries(
    [...commands].flatMap(([name, { inputs }]) =>
      name.endsWith(`-${what}`) && typeof inputs?.["stdin"] === "string"
        ? [[name.slice(0, -what.length - 1), inputs["stdin"]]]
        : [],
    ),
  );
}

/** After what they did, by the ids of all that ran one; see after.ts. */
export function afterIn(commands: Commands, what: string): Record<string, string | undefined> {
  return Object.fromEntries(
    [...commands].flatMap(([name, command]) =>
      name.endsWith(`-${what}`)
        ? [[name.slice(0, -what.length - 1), / # after: (.*?)(?: # as \S+)?$/.exec(input(command, "create"))?.[1]]]
        : [],
    ),
  );
}

/** What was to be created is pending until a refresh, also once it is there. */
export function cutIn(pending: readonly Pending[], commands: Commands): Map<string, Resource> {
  const cut = pending.filter(
    ({ type, resource }) => resource.type === COMMAND && (type !== "creating" || !commands.has(nameOf(resource))),
  );
  return new Map(cut.map(({ resource }) => [nameOf(resource), resource]));
}

/** Of a server `GROUP-DATACENTER-N` what was pushed names the datacenter; both names may have hyphens. */
export function foundedGroups(commands: Commands): string[] {
  const groups = [...commands.values()].flatMap((each) => {
    if (!each.urn.includes("$ha-cluster:index:AppServer$")) return [];
    const [, datacenter] = /^DATACENTER=(.+)$/m.exec(input(each, "stdin")) ?? [];
    const id = /^(.+)-\d+-config$/.exec(nameOf(each))?.[1];
    return datacenter !== undefined && id?.endsWith(`-${datacenter}`) ? [id.slice(0, -datacenter.length - 1)] : [];
  });
  return [...new Set(groups)].sort();
}

/** Whether a database was ever pushed to. */
export function isFounded(commands: Commands): boolean {
  return [...commands.values()].some(
    ({ urn }) => urn.includes("$ha-cluster:index:DatabaseServer$") && urn.endsWith("-config"),
  );
}

/**
 * What the cloud was asked to create by a run that was cut, and what was taken into the state and never read from the cloud
 * since. What a later run has created all the same is pending until a refresh.
 */
export function begunIn(pending: readonly Pending[], resources: readonly Resource[]): string[] {
  const live = resources.filter((each) => each.delete !== true && each.pendingReplacement !== true);
  const there = new Set(live.map(({ urn }) => urn));
  const asked = pending
    .filter(({ type, resource }) => type === "creating" && resource.type.startsWith("openstack:"))
    .map(({ resource }) => resource)
    .filter(({ urn }) => !there.has(urn));
  const half = live.filter(({ initErrors = [] }) => initErrors.includes(HALF_RECOVERED));
  return [...new Set([...asked, ...half].map(nameOf))].sort();
}
