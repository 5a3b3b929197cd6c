import { sortedEntries } from "./shape/draft";
import type { StackFile } from "./shape/schema";
import { BLOCK, MOST_DATACENTERS } from "./spec";

/** What a stack that was built already keeps unless its file says otherwise; {@link NOTHING_STANDS} before. */
export interface Standing {
  /** The customer's name that its servers have. */
  customer?: string;
  /** What its internal network was built as. */
  internal?: string;
  /** Slot by datacenter. */
  datacenters: Record<string, number>;
  /** Slots by what a group's servers are called. */
  groups: Record<string, number[]>;
}

export const NOTHING_STANDS: Standing = { datacenters: {}, groups: {} };

export interface Places {
  datacenters: Record<string, number>;
  groups: Record<string, number[]>;
}

/**
 * Who stands where. A slot comes from the file; else from what stands; else it is the lowest that nobody has or, of
 * somebody who leaves, had: an address is free only when its server is gone, which comes last in a run. Without a state,
 * groups that services use come before those that none does, so that one that is added for later moves nobody.
 */
export function placesOf({ datacenters, appServers, services }: StackFile, standing: Standing): Places {
  const slots = assign(
    mapped(Object.fromEntries(sortedEntries(datacenters)), ({ slot }) => ({
      given: slot === undefined ? [] : [slot],
      wanted: 1,
    })),
    mapped(standing.datacenters, (slot) => [slot]),
    MOST_DATACENTERS,
  );
  return {
    datacenters: mapped(slots, ([slot]) => slot!),
    groups: assign(
      mapped(usedFirst(appServers, services), ({ slots: given = [], perDatacenter: count }) => {
        const most = typeof count === "number" ? count : Math.max(1, ...Object.values(count));
        return { given, wanted: Math.ceil(most / BLOCK) };
      }),
      {
        // Also of groups that leave: their addresses are free at the end only.
        ...standing.groups,
        ...mapped(appServers, ({ serversNamed }, name) => standing.groups[serversNamed ?? name] ?? []),
      },
      Infinity,
    ),
  };
}

/** By name, so that the file's own order, which the engine does not keep, means nothing. */
function usedFirst(groups: StackFile["appServers"], services: StackFile["services"]): StackFile["appServers"] {
  const used = new Set(Object.values(services).map(({ servers }) => servers));
  const sorted = sortedEntries(groups);
  const [first, then] = [sorted.filter(([name]) => used.has(name)), sorted.filter(([name]) => !used.has(name))];
  return Object.fromEntries([...first, ...then]);
}

function mapped<T, R>(map: Record<string, T>, change: (value: T, name: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value, name)]));
}

interface Wish {
  /** What the file says. */
  given: number[];
  /** How many it needs; it keeps more if it has more. */
  wanted: number;
}

function assign(
  wishes: Record<string, Wish>,
  standing: Record<string, number[]>,
  highest: number,
): Record<string, number[]> {
  const taken = new Set(Object.values(wishes).flatMap(({ given }) => given));
  const occupied = new Set(Object.values(standing).flat());
  const found: Record<string, number[]> = {};
  for (const [name, { given }] of Object.entries(wishes)) {
    const kept = (standing[name] ?? []).slice(given.length).filter((slot) => !taken.has(slot));
    found[name] = [...given, ...kept];
    for (const slot of kept) taken.add(slot);
  }
  const free = (avoided: ReadonlySet<number>): number | undefined => {
    for (let slot = 1; slot <= highest; slot++) if (!taken.has(slot) && !avoided.has(slot)) return slot;
    return undefined;
  };
  for (const [name, { wanted }] of Object.entries(wishes)) {
    const slots = found[name]!;
    while (slots.length < wanted) {
      // More datacenters than there can be: refused elsewhere.
      const slot = free(occupied) ?? free(new Set()) ?? slots.length + 1;
      slots.push(slot);
      taken.add(slot);
    }
  }
  return found;
}
