import type { AppServer } from "./servers";

/** Where an application server gives its running release to the others of its group; on the internal network. */
export const RELEASE_PORT = 9201;

export interface PlannedAppServer extends AppServer {
  /** Whether it may serve the sample in the first build of its group; later it takes its release from the others, like all. */
  founder: boolean;
  /** Internal addresses of the other servers of its group, in the order in which it asks them. */
  neighbours: string[];
}

/** @param servers in the order of a rollout */
export function planAppServers(servers: readonly AppServer[]): PlannedAppServer[] {
  return servers.map((node) => {
    const group = servers.filter((each) => each.group === node.group);
    return {
      ...node,
      founder: group[0] === node,
      neighbours: group.filter((each) => each !== node).map(({ internal }) => internal),
    };
  });
}
