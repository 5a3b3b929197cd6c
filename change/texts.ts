import type { Deployed, DeployedServer } from "./deployed";

/** Whether what was pushed for the time between is what the server has, as far as the state knows. */
export function isOpen({ id, between }: Pick<DeployedServer, "id" | "between">, { after }: Deployed): boolean {
  return between !== undefined && !(after[id] ?? "").split("; ").includes(between);
}

/** Each that may be what a server has: while a run has not come to its end what it brings as well as what was there. */
export function textsOf(server: Pick<DeployedServer, "id" | "between">, deployed: Deployed): string[] {
  const { id } = server;
  const { bundles, betweens, rollout } = deployed;
  const known = isOpen(server, deployed) ? betweens[id] : bundles[id];
  return [known, ...(rollout.ended ? [] : (rollout.brings[id] ?? []))].filter((each) => each !== undefined);
}
