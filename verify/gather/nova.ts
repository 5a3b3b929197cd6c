import type { CloudSession } from "./cloud";

export interface Server {
  id: string;
  /** E.g. `ACTIVE`, `SHUTOFF`, `ERROR`. */
  status: string;
  fault?: { message: string };
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
