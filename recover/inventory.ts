import type { CloudSession } from "../verify/gather/cloud";
import type { Rule } from "../verify/gather/neutron";

/** What a project has in its cloud, by kinds, as the APIs answer. */
export interface Inventory {
  networks: Named[];
  subnets: (Named & { network_id: string; cidr: string })[];
  ports: (Named & { network_id: string; device_id: string; fixed_ips: { ip_address: string }[] })[];
  groups: Named[];
  rules: Rule[];
  servers: Server[];
  serverGroups: Omit<Named, "description">[];
  /** Nova knows them by their names; they belong to the user that asks. */
  keyPairs: { name: string; public_key: string }[];
}

export interface Named {
  id: string;
  name: string;
  description?: string;
}

export interface Server {
  id: string;
  name: string;
  /** E.g. `ACTIVE`, `BUILD`, `ERROR`. */
  status: string;
  /** When it ran for the first time; null for one that never did. */
  "OS-SRV-USG:launched_at"?: string | null;
  metadata: Record<string, string>;
}

/** Everything that the project has: an admin would else see what is others'. */
export async function readInventory(session: CloudSession): Promise<Inventory> {
  const mine = session.projectId === undefined ? "" : `?project_id=${encodeURIComponent(session.projectId)}`;
  const network = async <T>(path: string): Promise<T[]> => {
    const answer = await session.read<Record<string, T[]>>("network", `v2.0/${path}${mine}`);
    return answer[path.replaceAll("-", "_")]!;
  };
  const [networks, subnets, ports, groups, rules, servers, serverGroups, keyPairs] = await Promise.all([
    network<Inventory["networks"][number]>("networks"),
    network<Inventory["subnets"][number]>("subnets"),
    network<Inventory["ports"][number]>("ports"),
    network<Named>("security-groups"),
    network<Rule>("security-group-rules"),
    paged<Server>(session, "servers/detail", "servers"),
    session.read<{ server_groups: Inventory["serverGroups"] }>("compute", "os-server-groups"),
    session.read<{ keypairs: { keypair: Inventory["keyPairs"][number] }[] }>("compute", "os-keypairs"),
  ]);
  return {
    ...{ networks, subnets, ports, groups, rules, servers },
    serverGroups: serverGroups.server_groups,
    keyPairs: keyPairs.keypairs.map(({ keypair }) => keypair),
  };
}

async function paged<T extends { id: string }>(session: CloudSession, path: string, key: string): Promise<T[]> {
  const all: T[] = [];
  for (let marker: string | undefined = ""; marker !== undefined;) {
    const query: string = marker === "" ? "" : `?marker=${encodeURIComponent(marker)}`;
    const page = await session.read<Record<string, unknown>>("compute", `${path}${query}`);
    const found = page[key] as T[];
    all.push(...found);
    const links = (page[`${key}_links`] ?? []) as { rel: string }[];
    marker = links.some(({ rel }) => rel === "next") ? found.at(-1)?.id : undefined;
  }
  return all;
}
