import type { Held } from "../plan/lint/tenants";
import type { Deployed } from "./deployed";
import { fileIn } from "./files";

/** By what was pushed to load balancers last, also to those that somebody else built. */
export function heldBy({ bundles }: Pick<Deployed, "bundles">): Held {
  const pushed = Object.values(bundles);
  const found = (path: string, line: RegExp): string[] =>
    pushed.flatMap((text) => [...fileIn(text, path).matchAll(line)].map(([, address]) => address!));
  return {
    built: pushed.length > 0,
    addresses: new Set([
      ...found("/etc/ha-cluster/vips", /^\S+ (\S+)\/\d+$/gm),
      ...found("/etc/ha-cluster/networks", /^external-ipv[46] (\S+) /gm),
    ]),
  };
}
