import type { Problem } from "../problems";
import { isGiven, names, sortedEntries, type Draft } from "../shape/draft";
import { listNames, pathText, quote } from "../shape/words";

/** Names that mean something else: load balancers are called lb-…, database servers db-…. */
const RESERVED_GROUPS = ["db", "lb"];

/** Names that haproxy's own sections have: the database's backend, and the frontends http-in and https-in. */
const RESERVED_SERVICES = ["database"];
const RESERVED_TCP_SERVICES = ["http", "https"];

/** RFC 1035: no label of a host name is longer. */
const LONGEST_HOSTNAME = 63;

export function* checkNames(draft: Draft, stack: string): Generator<Problem> {
  yield* checkCustomer(draft, stack);
  for (const [map, longest] of [
    ["datacenters", 15],
    ["appServers", 15],
    ["vips", 31],
    ["services", 31],
    ["certificates", 31],
  ] as const) {
    for (const name of names(draft[map])) {
      if (isName(name, longest)) continue;
      yield { path: pathText([map, name]), cause: `${quote(name)} can't be a name here`, mend: nameRule(longest) };
    }
  }
  for (const [name, group] of sortedEntries(draft.appServers)) {
    const named = group?.serversNamed;
    const path = named === undefined ? ["appServers", name] : ["appServers", name, "serversNamed"];
    if (named !== undefined && !isName(named, 15))
      yield { path: pathText(path), cause: `${quote(named)} can't be a name here`, mend: nameRule(15) };
    if (!RESERVED_GROUPS.includes(named ?? name)) continue;
    yield {
      path: pathText(path),
      cause: `\`${named ?? name}\` is reserved: servers called ${named ?? name}-… are the cluster's own`,
      mend: "choose another name for the group",
    };
  }
  for (const [name, service] of sortedEntries(draft.services)) {
    if (!RESERVED_SERVICES.includes(name) && !(service?.tcp !== undefined && RESERVED_TCP_SERVICES.includes(name)))
      continue;
    yield {
      path: `services.${name}`,
      cause: `\`${name}\` is reserved: haproxy's configuration has sections of that name`,
      mend: "choose another name for the service",
    };
  }
  if (draft.clusterName !== undefined && !isName(draft.clusterName, 31))
    yield { path: "clusterName", cause: `${quote(draft.clusterName)} can't be a cluster's name`, mend: nameRule(31) };
  yield* checkServerNames(draft, draft.customer ?? stack);
  yield* checkInterfaces(draft);
  if (draft.ssh?.user !== undefined && !/^[a-z_][a-z0-9_-]{0,31}$/.test(draft.ssh.user)) {
    yield {
      path: "ssh.user",
      cause: `${quote(draft.ssh.user)} can't be the name of a user`,
      mend: "write the user that the image creates, for example debian",
    };
  }
}

function isName(name: string, longest: number): boolean {
  return name.length <= longest && /^[a-z][a-z0-9-]*$/.test(name);
}

function nameRule(longest: number): string {
  return `use lower-case letters, digits and hyphens, a letter first, ${longest} characters at most`;
}

function* checkCustomer(draft: Draft, stack: string): Generator<Problem> {
  const { customer } = draft;
  if (customer !== undefined) {
    if (!isName(customer, 31))
      yield { path: "customer", cause: `${quote(customer)} can't be a customer's name`, mend: nameRule(31) };
  } else if (!isGiven(draft, "customer") && !isName(stack, 31)) {
    yield {
      path: "customer",
      cause: `is missing, and the stack's name ${quote(stack)} can't take its place`,
      mend: `add \`customer\`: ${nameRule(31)}`,
    };
  }
}

/** Servers are named after role or group, datacenter and number: `app-dc1-2`; two ways to the same name would be one server. */
function* checkServerNames(draft: Draft, customer: string): Generator<Problem> {
  const datacenters = names(draft.datacenters);
  const owners = new Map(
    datacenters.flatMap((datacenter) => [
      [`lb-${datacenter}`, "loadBalancers"],
      [`db-${datacenter}`, "database"],
    ]),
  );
  for (const [group, servers] of sortedEntries(draft.appServers)) {
    const path = `appServers.${group}`;
    const ids = appServerIds(group, servers, datacenters);
    const taken = ids.find((id) => owners.has(id));
    if (taken !== undefined) {
      yield {
        path,
        cause: `would have a server ${taken}, a name that ${owners.get(taken)} uses too`,
        mend: "choose another name for the group or the datacenter",
      };
    }
    for (const id of ids) owners.set(id, path);
    const tooLong = ids.map((id) => `${customer}-${id}`).find((name) => name.length > LONGEST_HOSTNAME);
    if (tooLong !== undefined) {
      yield {
        path,
        cause: `would have a server ${tooLong}: ${tooLong.length} characters, and a host name has ${LONGEST_HOSTNAME} at most`,
        mend: "shorten the names of customer, group or datacenter",
      };
    }
  }
}

/** Of a group, as far as it is known how many it has. */
export function appServerIds(
  group: string,
  servers: NonNullable<Draft["appServers"]>[string],
  datacenters: readonly string[],
): string[] {
  return datacenters.flatMap((datacenter) => {
    const count = servers?.perDatacenter;
    const here = typeof count === "object" ? count[datacenter] : count;
    return Array.from(
      { length: here ?? 0 },
      (_, index) => `${servers?.serversNamed ?? group}-${datacenter}-${index + 1}`,
    );
  });
}

function* checkInterfaces({ interfaces }: Draft): Generator<Problem> {
  for (const [role, name] of sortedEntries(interfaces)) {
    // Linux: at most 15 bytes, no slash or space; a colon makes an alias of it (ifupdown).
    if (name === undefined || (/^[A-Za-z0-9_.-]{1,15}$/.test(name) && !/^\.\.?$/.test(name))) continue;
    yield {
      path: `interfaces.${role}`,
      cause: `${quote(name)} can't be the name of a network interface`,
      mend: "write the name as in `ip link`, 15 characters at most, for example eth0",
    };
  }
  if (interfaces?.external !== undefined && interfaces.external === interfaces.internal) {
    yield {
      path: "interfaces.internal",
      cause: `${quote(interfaces.internal)} is the external interface too`,
      mend: `load balancers have one interface per network; give ${listNames(["external", "internal"])} different names`,
    };
  }
}
