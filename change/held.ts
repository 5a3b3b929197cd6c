import type { Held } from "../plan/lint/tenants";
import type { Deployed } from "./deployed";
import { fileIn } from "./files";

/** By what was pushed to load balancers last, also to those that somebody else built. */
export function heldBy({ bundles }: Pick<Deployed, "bundles">): Held {
  const pushed = Object.values(bundles);
  return {
    built: pushed.length > 0,
    addresses: new Set([
      ...pushed.flatMap(vipsIn),
      ...pushed.flatMap((text) => captured(fileIn(text, "/etc/ha-cluster/networks"), /^external-ipv[46] (\S+) /gm)),
    ]),
  };
}

/** All VIPs that a load balancer was told, the internal one too. */
export function vipsIn(text: string): string[] {
  return captured(fileIn(text, "/etc/ha-cluster/vips"), /^\S+ (\S+)\/\d+$/gm);
}

function captured(file: string, line: RegExp): string[] {
  return [...file.matchAll(line)].map(([, address]) => address!);
}
