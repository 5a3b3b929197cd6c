import type { Deployed, DeployedServer } from "./deployed";

/** Whether what was pushed for the time between may still be what the server has. */
export function isOpen({ between, after }: Pick<DeployedServer, "between" | "after">): boolean {
  return between !== undefined && !(after ?? "").split("; ").includes(between);
}

/** Each that may be what a server has: of a push that was killed the old one as well as the new. */
export function textsOf(
  { id, ...said }: Pick<DeployedServer, "id" | "between" | "after">,
  { bundles, cutBundles, betweens, cutBetweens }: Deployed,
): string[] {
  const texts = [bundles[id], cutBundles[id], isOpen(said) ? betweens[id] : undefined, cutBetweens[id]];
  return texts.filter((each) => each !== undefined);
}
