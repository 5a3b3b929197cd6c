import { UNREADABLE } from "../../config/encrypted";
import { contains, containsNetwork, parseIp } from "../../config/ip";
import type { Problem } from "../../config/problems";
import { listNames, pathText } from "../../config/shape/words";
import type { Secrets } from "../../config/spec";
import { network } from "../../plan/addresses";
import type { Plan } from "../../plan/plan";
import { DerivedSecrets } from "../../secrets/derive";
import type { Change, Pair } from "../change";
import type { Deployed } from "../deployed";

/*
 * What a server, and the cluster, is for life: names that nobody can change, addresses, keys.
 */

export function source({ servers }: Deployed): Problem {
  return {
    path: "machines.source",
    cause: `is \`existing\`, but ${servers.length} servers that OpenStack made stand: all of them would be deleted`,
    mend: "write `openstack` again, or make a stack of its own for the machines that exist",
  };
}

/** Server groups and the key pair can't be renamed, and their replacement would take every server along. */
export function names(plan: Plan, { clusterName }: Deployed): Problem[] {
  if (clusterName === undefined || clusterName === plan.clusterName) return [];
  return [
    {
      path: plan.clusterName === plan.customer ? "customer" : "clusterName",
      cause: `the cluster's first name is ${clusterName}: with ${plan.clusterName}, all server groups would be replaced, and all servers with them, databases included`,
      mend: `keep the first name: add \`ha-cluster:clusterName: ${clusterName}\`; then only what can be renamed is called ${plan.customer}-…`,
    },
  ];
}

/** It may become larger, and smaller again as long as nobody is in what goes; see {@link growth}. */
export function internalNetwork({ internal }: Plan, { internalCidr, servers }: Deployed): Problem[] {
  if (internalCidr === undefined) return [];
  const whole = network(internal.cidr);
  if (!containsNetwork(whole, network(internalCidr))) {
    return [
      {
        path: "internal.cidr",
        cause: `is ${internal.cidr}, but the cluster stands in ${internalCidr}: every server would be replaced`,
        mend: `write ${internalCidr}, or a network that contains it; any other one needs another stack beside this one`,
      },
    ];
  }
  if (internal.builtAs !== internalCidr) {
    return [
      {
        path: "internal.builtAs",
        cause: `is ${internal.builtAs}, but it was built as ${internalCidr}: its servers would have other addresses`,
        mend: `remove the line: what stands keeps its place by itself; or write ${internalCidr}, as \`npm run plan -- STACK --pin\` does`,
      },
    ];
  }
  const outside = servers.flatMap(({ id, addresses }) =>
    (addresses.internal ?? []).filter((each) => !contains(whole, parseIp(each)!)).map((each) => ({ id, each })),
  );
  return outside.slice(0, 1).map(({ id, each }) => ({
    path: "internal.cidr",
    cause: `is ${internal.cidr}, but ${id} has ${each}, which is outside`,
    mend: `write a network that contains it; or first remove ${listNames(outside.map((server) => server.id))}, \`pulumi up\`, and then write this one`,
  }));
}

/** No server's internal address ever changes: the machine would be cut off before it could be told. */
export function moves({ kept }: Change): Problem[] {
  const inside = kept.filter(({ planned, standing }) => differs([planned.internal], standing.addresses.internal));
  return bySlot(inside);
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

/** Of a server that doesn't say who can log in to it, the outputs may: but no longer once an `up` with another user has failed. */
export function user(plan: Plan, { sshUser }: Deployed, { kept }: Change): Problem[] {
  const silent = kept.filter(({ standing }) => standing.user === undefined).map(({ planned }) => planned.id);
  if (silent.length === 0 || sshUser === undefined || sshUser === plan.sshUser) return [];
  return [
    {
      path: "ssh.user",
      cause: `is ${plan.sshUser}, but ${sshUser} alone can log in to ${listNames(silent)}, and can't let anybody else in yet: the last \`pulumi up\` was one of an older release`,
      mend: `first \`pulumi up\` with ${sshUser}; then change it`,
    },
  ];
}

/** Every key of the cluster follows from it: no server that runs would let this program in, or be recognised by it. */
export function rootSecret({ root }: Secrets, { publicKey }: Deployed): Problem[] {
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
