import type { AppServer } from "./servers";

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
