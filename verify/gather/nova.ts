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

/** Nova answers when it is done. */
const ATTACH_SECONDS = 120;

/** What Nova says of servers, and does to them; a refresh of Pulumi does not see that one is in ERROR. */
export class Nova {
  constructor(private readonly session: CloudSession) {}

  /** E.g. `ACTIVE`, `SHUTOFF`, `ERROR`. */
  async status(server: string): Promise<string> {
    return (await this.session.read<{ server: Server }>("compute", `servers/${server}`)).server.status;
  }

  async start(server: string): Promise<void> {
    await this.session.call("compute", `servers/${server}/action`, "POST", { body: { "os-start": null } });
  }

  /** In an orderly way, as far as the server goes along. */
  async stop(server: string): Promise<void> {
    await this.session.call("compute", `servers/${server}/action`, "POST", { body: { "os-stop": null } });
  }

  /** Ids of the ports that a server has. */
  async portsOf(server: string): Promise<string[]> {
    const path = `servers/${server}/os-interface`;
    const answer = await this.session.read<{ interfaceAttachments: { port_id: string }[] }>("compute", path);
    return answer.interfaceAttachments.map(({ port_id }) => port_id);
  }

  /** Behind those that it has. */
  async attach(server: string, port: string): Promise<void> {
    const body = { interfaceAttachment: { port_id: port } };
    await this.session.call("compute", `servers/${server}/os-interface`, "POST", { body, seconds: ATTACH_SECONDS });
  }

  /** The port itself stays. */
  async detach(server: string, port: string): Promise<void> {
    await this.session.call("compute", `servers/${server}/os-interface/${port}`, "DELETE");
  }

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
