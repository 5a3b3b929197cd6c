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
  /** Absent where this user may not list them, as the next. */
  serverGroups?: Omit<Named, "description">[];
  /** Nova knows them by their names; they belong to the user that asks. */
  keyPairs?: { name: string; public_key: string }[];
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

/** Everything that the project has: an admin would else see what is others'. @throws when the login is for no project */
export async function readInventory(session: CloudSession): Promise<Inventory> {
  const { projectId } = session;
  if (projectId === undefined) throw new Error("the login to the cloud is for no project (OS_PROJECT_NAME)");
  const network = async <T extends { id: string }>(path: string): Promise<T[]> => {
    const key = path.replaceAll("-", "_");
    return paged(session, "network", `v2.0/${path}?project_id=${encodeURIComponent(projectId)}`, key);
  };
  const [networks, subnets, ports, groups, rules, servers, serverGroups, keyPairs] = await Promise.all([
    network<Inventory["networks"][number]>("networks"),
    network<Inventory["subnets"][number]>("subnets"),
    network<Inventory["ports"][number]>("ports"),
    network<Named>("security-groups"),
    network<Rule>("security-group-rules"),
    paged<Server>(session, "compute", "servers/detail?", "servers"),
    session.read<{ server_groups: Omit<Named, "description">[] }>("compute", "os-server-groups").catch(unlisted),
    session
      .read<{ keypairs: { keypair: { name: string; public_key: string } }[] }>("compute", "os-keypairs")
      .catch(unlisted),
  ]);
  return {
    ...{ networks, subnets, ports, groups, rules, servers },
    ...(serverGroups && { serverGroups: serverGroups.server_groups }),
    ...(keyPairs && { keyPairs: keyPairs.keypairs.map(({ keypair }) => keypair) }),
  };
}

function unlisted(error: unknown): undefined {
  if (!/answers 40[34]/.test(String(error))) throw error;
}

async function paged<T extends { id: string }>(
  session: CloudSession,
  type: string,
  path: string,
  key: string,
): Promise<T[]> {
  const all: T[] = [];
  for (let marker: string | undefined = ""; marker !== undefined;) {
    const query: string = marker === "" ? "" : `&marker=${encodeURIComponent(marker)}`;
    const page = await session.read<Record<string, unknown>>(type, `${path}${query}`);
    const found = page[key] as T[];
    all.push(...found);
    const links = (page[`${key}_links`] ?? []) as { rel: string }[];
    marker = links.some(({ rel }) => rel === "next") ? found.at(-1)?.id : undefined;
  }
  return all;
}
