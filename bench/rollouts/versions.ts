import type { Cluster } from "../../harness/cluster";
import { localRepository } from "../../harness/packages";

export type Versions = Record<"haproxy" | "keepalived", string>;

/** Appended to a version, it makes a later one. */
export const NEXT = "+next";

/** Gives every load balancer's apt the packages that it has and the next ones, and says which it has. */
export async function offerVersions({ lab, loadBalancers }: Cluster): Promise<Versions> {
  const builds = (["haproxy", "keepalived"] as const).flatMap((name) =>
    ["", NEXT].map((suffix) => ({ package: name, suffix })),
  );
  for (const name of loadBalancers) await lab.on(name, localRepository(builds));
  const ask = (name: string): Promise<string> => lab.on(loadBalancers[0]!, `dpkg-query -W -f='\${Version}' ${name}`);
  return { haproxy: await ask("haproxy"), keepalived: await ask("keepalived") };
}
