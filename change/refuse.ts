import type { Problem } from "../config/problems";
import { UNREADABLE } from "../config/encrypted";
import { listNames, pathText } from "../config/shape/words";
import type { Secrets, Spec } from "../config/spec";
import type { Plan } from "../plan/plan";
import { DerivedSecrets } from "../secrets/derive";
import type { Change, Pair, PlannedServer } from "./change";
import type { Deployed, DeployedServer } from "./deployed";

/** The backend whose servers {@link departures} looks after. */
const DATABASE = "database";

/**
 * Why a change must not be made: a server that runs would be replaced, moved, or deleted with data, and nobody said so; or
 * everything behind a name would be new at once. Each with the way that gets there. Pure.
 */
export function refusals(
  plan: Plan,
  { mayDelete }: Pick<Spec, "mayDelete">,
  secrets: Secrets,
  deployed: Deployed,
  change: Change,
): Problem[] {
  if (change.first) return [];
  if (plan.source === "existing") return [source(deployed)];
  const name = names(plan, deployed);
  const network = internalNetwork(plan, deployed);
  return [
    ...name,
    ...network,
    ...(network.length > 0 ? [] : moves(change)),
    ...(plan.sshUser === (deployed.sshUser ?? plan.sshUser) ? [] : [user(plan, deployed)]),
    ...rootSecret(secrets, deployed),
    ...departures(deployed, change, mayDelete),
    ...endpoints(plan, deployed, change),
    ...unfinished(change),
    ...unprepared(change),
  ];
}

/** Who was built before servers could say farewell would be cut off in the middle of what it does. */
function unprepared({ resized, leaving }: Change): Problem[] {
  const stopped = [
    ...resized.map(({ standing }) => standing),
    ...leaving.filter(({ role, pushed }) => role !== "app-server" && pushed),
  ];
  const names = stopped.filter(({ knowsFarewell }) => !knowsFarewell).map(({ id }) => id);
  if (names.length === 0) return [];
  return [
    {
      path: resized.length > 0 ? flavorOf(resized[0]!.planned) : "datacenters",
      cause: `${listNames(names)} would be stopped, but can't hand over first: the last \`pulumi up\` was one of an older release`,
      mend: "first `pulumi up` without this change; then make it",
    },
  ];
}

function flavorOf(node: PlannedServer): string {
  switch (node.role) {
    case "load-balancer":
      return "loadBalancers.flavor";
    case "database":
      return "database.flavor";
    case "app-server":
      return pathText(["appServers", node.group, "flavor"]);
  }
}

function source({ servers }: Deployed): Problem {
  return {
    path: "machines.source",
    cause: `is \`existing\`, but ${servers.length} servers that OpenStack made stand: all of them would be deleted`,
    mend: "write `openstack` again, or make a stack of its own for the machines that exist",
  };
}

/** Server groups and the key pair can't be renamed, and their replacement would take every server along. */
function names(plan: Plan, { clusterName }: Deployed): Problem[] {
  if (clusterName === undefined || clusterName === plan.clusterName) return [];
  return [
    {
      path: plan.clusterName === plan.customer ? "customer" : "clusterName",
      cause: `the cluster's first name is ${clusterName}: with ${plan.clusterName}, all server groups would be replaced, and all servers with them, databases included`,
      mend: `keep the first name: add \`ha-cluster:clusterName: ${clusterName}\`; then only what can be renamed is called ${plan.customer}-…`,
    },
  ];
}

function internalNetwork(plan: Plan, { internalCidr }: Deployed): Problem[] {
  if (internalCidr === undefined || internalCidr === plan.internal.cidr) return [];
  return [
    {
      path: "internal.cidr",
      cause: `is ${plan.internal.cidr}, but the cluster stands in ${internalCidr}: every server would be replaced`,
      mend: `write ${internalCidr} again; another network needs another stack beside this one`,
    },
  ];
}

/** No server's address ever changes: the machine would be cut off before it could be told. */
function moves({ kept }: Change): Problem[] {
  const inside = kept.filter(({ planned, standing }) => differs([planned.internal], standing.addresses.internal));
  const outside = kept.filter(
    ({ planned, standing }) =>
      "external" in planned && differs([planned.external.ipv4], standing.addresses.external?.filter(isIpv4)),
  );
  const outside6 = kept.filter(({ planned, standing }) => {
    if (!("external" in planned) || planned.external.ipv6 === undefined) return false;
    const now = standing.addresses.external?.filter((address) => !isIpv4(address)) ?? [];
    return now.length > 0 && differs([planned.external.ipv6], now);
  });
  return [
    ...bySlot(inside),
    ...(inside.length > 0 ? [] : outside.slice(0, 1)).map(({ planned, standing }) => ({
      path: "external.ipv4.cidr",
      cause: `would move the load balancers, ${planned.id} from ${standing.addresses.external!.filter(isIpv4).join(" ")} to ${"external" in planned ? planned.external.ipv4 : ""}`,
      mend: "write the network that they stand in; another one needs another stack beside this one",
    })),
    ...(inside.length > 0 ? [] : outside6.slice(0, 1)).map(({ planned, standing }) => ({
      path: "external.ipv6.prefix",
      cause: `would move the load balancers' own IPv6 addresses, ${planned.id}'s from ${standing.addresses.external!.filter((each) => !isIpv4(each)).join(" ")}, and they would no longer hear each other on the way`,
      mend: "first take IPv6 away (remove external.ipv6 and the VIPs' ipv6, `pulumi up`), then add it with the new prefix: IPv4 serves all along",
    })),
  ];
}

/** One problem for each slot that is another one. */
function bySlot(moved: Pair[]): Problem[] {
  const found = new Map<string, Problem>();
  for (const { planned, standing } of moved) {
    const path =
      planned.role === "app-server"
        ? pathText(["appServers", planned.group, "slots"])
        : pathText(["datacenters", planned.datacenter, "slot"]);
    found.set(path, {
      path,
      cause: `would move ${planned.id} from ${standing.addresses.internal!.join(" ")} to ${planned.internal}`,
      mend: "remove the line: what stands keeps its place by itself; or write its slot, as `npm run plan -- STACK --pin` does",
    });
  }
  const ofDatacenters = [...found].filter(([path]) => path.startsWith("datacenters"));
  return (ofDatacenters.length > 0 ? ofDatacenters : [...found]).map(([, problem]) => problem);
}

function differs(planned: string[], now: string[] | undefined): boolean {
  // A port that was deleted behind our back has no address; it gets the planned one again.
  return now !== undefined && now.length > 0 && !planned.every((address) => now.includes(address));
}

function isIpv4(address: string): boolean {
  return !address.includes(":");
}

function user(plan: Plan, { sshUser }: Deployed): Problem {
  return {
    path: "ssh.user",
    cause: `is ${plan.sshUser}, but the servers that run know ${sshUser} alone: nobody could log in`,
    mend: `write ${sshUser} again`,
  };
}

/** Every key of the cluster follows from it: no server that runs would let this program in, or be recognised by it. */
function rootSecret({ root }: Secrets, { publicKey }: Deployed): Problem[] {
  if (publicKey === undefined || root === UNREADABLE) return [];
  if (new DerivedSecrets(root).clientKey().publicKey === publicKey) return [];
  return [
    {
      path: "rootSecret",
      cause: "is not the one that this cluster was built with: its servers have other keys, and none could be reached",
      mend: "put the old one back (`git log -p` of the stack file has its line)",
    },
  ];
}

/** Datacenters that leave: never under another name in the same run, and never with the last copy. */
function departures(deployed: Deployed, { created, leaving, kept }: Change, mayDelete: readonly string[]): Problem[] {
  const datacenterOf = (id: string): string => id.replace(/^(lb|db)-/, "");
  const edge = ({ role }: { role: string }): boolean => role !== "app-server";
  const going = [...new Set(leaving.filter(edge).map(({ id }) => datacenterOf(id)))];
  const coming = [...new Set(created.filter(edge).map(({ datacenter }) => datacenter))].filter(
    (name) => !deployed.servers.some(({ id }) => id === `lb-${name}` || id === `db-${name}`),
  );
  if (going.length > 0 && coming.length > 0) {
    return coming.map((name) => ({
      path: pathText(["datacenters", name]),
      cause: `is new, while ${listNames(going)} would be deleted in the same run, with all servers there`,
      mend: `if it is the same place under another name, keep the old name, which its servers bear for life (\`availabilityZone\` may be called anything); if not, do it in two runs: first without ${listNames(going)}, then with \`${name}\``,
    }));
  }
  const databases = leaving.filter((each) => each.role === "database" && each.pushed);
  if (databases.length > 0 && !kept.some(({ planned }) => planned.role === "database")) {
    return [
      {
        path: "datacenters",
        cause: `all databases would be deleted, with their data: ${listNames(databases.map(({ id }) => id))}`,
        mend: "keep at least one that stands; to remove the cluster, see docs/recover.md (remove a cluster)",
      },
    ];
  }
  return databases.filter(({ id }) => !mayDelete.includes(id)).map(dataLeaves);
}

function dataLeaves({ id, hostname }: DeployedServer): Problem {
  return {
    path: pathText(["datacenters", id.replace(/^db-/, "")]),
    cause: `is gone from the file, so ${hostname} would be deleted with its copy of the data`,
    mend: `write the datacenter back; or, if it shall go, look that the other databases are synced (\`npm run verify\`), and add \`ha-cluster:mayDelete: [${id}]\``,
  };
}

/** Clients of a name must find somebody there all along: nothing may be new on both sides of it at once. */
function endpoints(plan: Plan, deployed: Deployed, { kept }: Change): Problem[] {
  const standing = new Set(kept.map(({ planned }) => planned.hostname));
  const problems: Problem[] = [];
  for (const { name, servers } of plan.loadBalancers[0]?.haproxy.backends ?? []) {
    // Where all are lost, they have to be made anew.
    if (name === DATABASE || !isServed(name, deployed) || servers.some((each) => standing.has(each.name))) continue;
    problems.push({
      path: pathText(["services", name, "servers"]),
      cause: `every server behind \`${name}\` would be new (${listNames(servers.map((each) => each.name))}): nobody answers until they are made, 503 for minutes`,
      mend: "in two runs: first add the new group beside the old one, `pulumi up`, deploy your application there; then name it here and remove the old one",
    });
  }
  for (const { planned } of kept) {
    if (planned.role !== "app-server") continue;
    const now = /^LISTEN_PORT=(\d+)$/m.exec(deployed.bundles[planned.id] ?? "")?.[1];
    if (now === undefined || now === String(planned.port)) continue;
    const path = pathText(["appServers", planned.group, "port"]);
    if (problems.some((each) => each.path === path)) continue;
    problems.push({
      path,
      cause: `is ${planned.port}, but the servers listen on ${now}: load balancers are changed first, and would find nobody there`,
      mend: `in three runs: add a group with port ${planned.port}, deploy there; let the services name it; remove this one`,
    });
  }
  return [...problems, ...databaseEndpoint(plan, deployed)];
}

/** Whether a server that stands, and was pushed to, is behind this name in the haproxy.cfg that runs. */
function isServed(backend: string, { bundles, servers }: Deployed): boolean {
  const section = new RegExp(`^backend ${backend}\\n((?: .*\\n)*)`, "m");
  const behind = Object.values(bundles).flatMap((text) => [
    ...(section.exec(text)?.[1] ?? "").matchAll(/^ +server (\S+)/gm),
  ]);
  const pushed = new Set(servers.filter((each) => each.pushed).map(({ hostname }) => hostname));
  return behind.some(([, name]) => pushed.has(name!));
}

/** Applications learn of another address or port one by one, and only after the load balancers have left the old one. */
function databaseEndpoint({ database }: Plan, { bundles }: Deployed): Problem[] {
  const known = Object.values(bundles).find((text) => /^DATABASE_HOST=/m.test(text)) ?? "";
  const now = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, "m").exec(known)?.[1];
  const [host, port] = [now("DATABASE_HOST"), now("DATABASE_PORT")];
  if (!database || host === undefined || port === undefined) return [];
  return [
    ...(host === database.address
      ? []
      : [
          {
            path: "internal.vip",
            cause: `is ${database.address}, but ${host} is the gateway of all servers that run, and where applications look for the database`,
            mend: `write ${host} again`,
          },
        ]),
    ...(port === String(database.port)
      ? []
      : [
          {
            path: "database.port",
            cause: `is ${database.port}, but applications connect to ${port} until they have been told, one after the other`,
            mend: `write ${port} again`,
          },
        ]),
  ];
}

/** A machine that Nova gave up on is no machine to push to: each attempt would take minutes and fail. */
function unfinished({ unfinished: pairs }: Change): Problem[] {
  return pairs
    .filter(({ standing }) => standing.failed !== undefined)
    .map(({ planned, standing }) => ({
      path: pathOf(planned),
      cause: `${standing.hostname} was never finished: ${standing.failed!}`,
      mend: `mend what that says (quota, room in the zone), then \`pulumi up --refresh --replace '**:Instance::${planned.id}'\`: it has served nobody yet`,
    }));
}

/** The key that a server comes from. */
export function pathOf(planned: PlannedServer): string {
  return planned.role === "app-server"
    ? pathText(["appServers", planned.group])
    : pathText(["datacenters", planned.datacenter]);
}
