import type { CloudSession } from "./cloud";

export interface Server {
  id: string;
  /** E.g. `ACTIVE`, `SHUTOFF`, `ERROR`. */
  status: string;
  fault?: { message: string };
  name?: string;
  metadata?: Record<string, string>;
}

/** In the metadata of servers that are there to find something out, with their cluster's first name. */
export const PROBE = "ha-cluster-room";

/** Servers that an `up` makes to find out whether a zone has room (components/machines/room.ts): their metadata, and how to find them. */
export function probesOf(clusterName: string) {
  return {
    metadata: { [PROBE]: clusterName },
    path: `servers/detail?name=${encodeURIComponent("-room$")}`,
    are: ({ metadata }: Server): boolean => metadata?.[PROBE] === clusterName,
  };
}

/** What Nova says of servers; a refresh of Pulumi does not see that one is in ERROR. */
export class Nova {
  constructor(private readonly session: CloudSession) {}

  /** Of the whole project, page by page. */
  async servers(): Promise<Server[]> {
    const servers: Server[] = [];
    for (let marker: string | undefined = ""; marker !== undefined;) {
      const path: string = `servers/detail${marker === "" ? "" : `?marker=${encodeURIComponent(marker)}`}`;
      const page = await this.session.read<{ servers: Server[]; servers_links?: { rel: string }[] }>("compute", path);
      servers.push(...page.servers);
      marker = page.servers_links?.some(({ rel }) => rel === "next") ? page.servers.at(-1)?.id : undefined;
    }
    return servers;
  }
}
