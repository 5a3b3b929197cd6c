import type { Outputs } from "../../operate/fleet";

/** How machines are logged in to. */
export type Reach = Pick<Outputs, "ssh" | "sshPrivateKey" | "sshKnownHosts">;

/** The connection of a Command, which is the way by which a machine was pushed to. */
export interface Connection {
  host: string;
  port?: number;
  user: string;
  hostKey: string;
  privateKey: string;
  proxy?: Connection;
}

/**
 * By the way by which each machine was pushed to last, whatever the outputs say now.
 *
 * @param connections by the machines' names
 */
export function reach(connections: ReadonlyMap<string, Connection>): Reach {
  const all = [...connections.values()].flatMap((each) => (each.proxy ? [each, each.proxy] : [each]));
  return {
    ssh: Object.fromEntries([...connections].map(([name, connection]) => [name, command(connection)])),
    sshPrivateKey: all[0]?.privateKey ?? "",
    sshKnownHosts: [
      ...new Set(all.map(({ host, port = 22, hostKey }) => `${port === 22 ? host : `[${host}]:${port}`} ${hostKey}`)),
    ],
  };
}

function command({ proxy, ...self }: Connection): string {
  const { host, port = 22, user } = self;
  const jump = proxy ? ["-J", destination(proxy)] : [];
  return ["ssh", ...jump, ...(port === 22 ? [] : ["-p", String(port)]), `${user}@${host}`].join(" ");
}

/** As ssh's option -J takes it. */
function destination({ user, host, port = 22 }: Connection): string {
  const place = host.includes(":") ? `[${host}]` : host;
  return `${user}@${place}${port === 22 ? "" : `:${port}`}`;
}
