import type { Outputs } from "../../operate/fleet";

/** How machines are logged in to. */
export type Reach = Pick<Outputs, "servers" | "ssh" | "sshPrivateKey" | "sshKnownHosts">;

/** The connection of a Command, which is the way by which a machine was pushed to. */
export interface Connection {
  host: string;
  port?: number;
  user: string;
  hostKey?: string;
  privateKey?: string;
  proxy?: Connection;
}

/**
 * By the way by which each machine was pushed to last, whatever the outputs say now; of one without a push, by that of the
 * outputs.
 *
 * @param outputs with `ssh` by the machines' names
 * @param connections by the machines' names
 */
export function reach(outputs: Partial<Outputs>, connections: ReadonlyMap<string, Connection>): Reach {
  const all = [...connections.values()].flatMap((each) => (each.proxy ? [each, each.proxy] : [each]));
  const keys = all.flatMap(({ privateKey }) => privateKey ?? []);
  const known = all.flatMap(({ host, port = 22, hostKey }) =>
    hostKey === undefined ? [] : [`${port === 22 ? host : `[${host}]:${port}`} ${hostKey}`],
  );
  return {
    servers: outputs.servers ?? {},
    ssh: {
      ...outputs.ssh,
      ...Object.fromEntries([...connections].map(([name, connection]) => [name, command(connection)])),
    },
    sshPrivateKey: keys[0] ?? outputs.sshPrivateKey ?? "",
    sshKnownHosts: [...new Set([...known, ...(outputs.sshKnownHosts ?? [])])],
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
