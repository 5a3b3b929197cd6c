import { parseIp, parseNetwork } from "../config/ip";
import { NOTHING_STANDS, type Standing } from "../config/places";
import { BLOCK } from "../config/spec";
import { type Place, placeOf } from "../plan/addresses";
import type { Deployed, DeployedServer } from "./deployed";

/** Where everybody stands, from the addresses that their ports have; nobody's place is guessed. */
export function standingOf({ servers, internalCidr, customer }: Deployed): Standing {
  const network = internalCidr === undefined ? undefined : parseNetwork(internalCidr);
  if (internalCidr === undefined || !network) return NOTHING_STANDS;
  const place = ({ role, addresses }: DeployedServer): Place | undefined => {
    const ip = parseIp(addresses.internal?.[0] ?? "");
    return ip && placeOf(role, ip, network);
  };
  const placed = servers.flatMap((each) => {
    const found = place(each);
    return found ? [{ ...each, place: found }] : [];
  });
  const datacenters: Record<string, number> = {};
  for (const each of placed) {
    const name = /^(?:lb|db)-(.+)$/.exec(each.id)?.[1];
    if (each.role !== "app-server" && name !== undefined) datacenters[name] = each.place.slot;
  }
  const groups: Record<string, number[]> = {};
  for (const each of placed) {
    if (each.role !== "app-server") continue;
    const found = groupOf(each.id, each.place.slot, datacenters);
    if (found) (groups[found.group] ??= [])[Math.floor(found.index / BLOCK)] = Math.floor(each.place.row / BLOCK) + 1;
  }
  return {
    ...(customer !== undefined && { customer }),
    internal: internalCidr,
    datacenters,
    // A hole would be a slot of which every server was lost.
    groups: Object.fromEntries(Object.entries(groups).map(([name, slots]) => [name, slots.filter(Number.isInteger)])),
  };
}

/** Both names may have hyphens; the slot tells `a-b` in `c` from `a` in `b-c`. */
function groupOf(
  id: string,
  slot: number,
  datacenters: Record<string, number>,
): { group: string; index: number } | undefined {
  for (const [name, at] of Object.entries(datacenters)) {
    const [, group, number] = new RegExp(`^(.+)-${name}-(\\d+)$`).exec(id) ?? [];
    if (at === slot && group !== undefined) return { group, index: Number(number) - 1 };
  }
  return undefined;
}
