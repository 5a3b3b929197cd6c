import type { Role } from "../plan/servers";

/** One server of a cluster, as far as its turn depends on it. */
export interface Server {
  /** Its host name. */
  name: string;
  /** Its identity in the stack file's terms, e.g. `lb-dc1`. */
  id: string;
  role: Role;
}

const ROLES: Role[] = ["load-balancer", "database", "app-server"];

/**
 * Whose turn it is: load balancers, databases, application servers; of a role the last datacenter first, as in a rollout. The
 * active load balancer is the last of them, so that VIPs move once.
 *
 * @param left those whose turn has not come yet; @param active who has the VIPs now
 */
export function next<S extends Server>(left: readonly S[], active: string | undefined): S | undefined {
  const role = ROLES.find((each) => left.some((server) => server.role === each));
  const same = left.filter((server) => server.role === role).sort((a, b) => natural(b.id, a.id));
  return same.find(({ name }) => name !== active) ?? same[0];
}

/** All turns, if the VIPs stay where they are until the active load balancer hands them over. */
export function order<S extends Server>(servers: readonly S[], active: string | undefined): S[] {
  const turns: S[] = [];
  for (;;) {
    const server = next(
      servers.filter((each) => !turns.includes(each)),
      active,
    );
    if (server === undefined) return turns;
    turns.push(server);
  }
}

/** `dc2` before `dc10`. */
function natural(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** Servers by name or id; a text says which is not there. */
export function chosen<S extends Server>(servers: readonly S[], only: readonly string[]): S[] | string {
  const unknown = only.find((word) => !servers.some(({ name, id }) => word === name || word === id));
  if (unknown !== undefined)
    return `there is no server ${unknown}; there are ${servers.map(({ name }) => name).join(", ")}`;
  return only.length === 0 ? [...servers] : servers.filter(({ name, id }) => only.includes(name) || only.includes(id));
}
