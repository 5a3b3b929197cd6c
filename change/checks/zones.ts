import type { Problem } from "../../config/problems";
import { listNames, pathText } from "../../config/shape/words";
import type { Change, Cloud, PlannedServer } from "../change";
import { roomOf } from "../route";

/** What always works: who goes to a free zone needs no second hypervisor. */
export const BY_WAY_OF = "move by way of a zone that is free: first the one there, `pulumi up`, then the other";

/**
 * A zone that the file calls otherwise than the state: its provider may have renamed it, or a slip is being mended; else the
 * server would have to move, which the file has to name it for.
 */
export function strangers({ rezoned, replaced }: Change, { zones }: Cloud): Problem[] {
  const moved = rezoned.filter(
    ({ planned }) => (zones[planned.id] ?? planned.availabilityZone) !== planned.availabilityZone,
  );
  return moved
    .filter(({ planned }) => !replaced.some((each) => each.planned.id === planned.id))
    .map(({ planned, standing }) => {
      const ids = moved.map((each) => each.planned).filter(({ datacenter }) => datacenter === planned.datacenter);
      return {
        path: zoneOf(planned),
        cause: `is ${planned.availabilityZone}, but ${standing.hostname} runs in ${zones[planned.id]!}: it would have to be deleted and made anew there`,
        mend: `write ${zones[planned.id]!}; or, if its servers shall move, one after the other: add \`ha-cluster:mayReplace: [${ids.map(({ id }) => id).join(", ")}]\``,
      };
    });
}

/**
 * Load balancers, and databases, share no hypervisor, and who moves is deleted before it is made anew: where another one
 * stands in that zone, Nova may have no host for it, and then it is gone. So it goes only to a zone that is free by then, or that
 * has room; see change/route.ts.
 */
export function room({ route: { stuck } }: Change, { rooms = {} }: Cloud): Problem[] {
  return stuck.map(({ planned, beside }) => ({
    path: zoneOf(planned),
    cause: `would move ${planned.id} to ${planned.availabilityZone} beside ${listNames(beside)}: no two of a kind share a hypervisor, and ${
      rooms[roomOf(planned)] === false ? "Nova has room for no other one there" : "there may be no room for another one"
    }`,
    mend: BY_WAY_OF,
  }));
}

/** The key that says a server's zone. */
export function zoneOf({ datacenter }: PlannedServer): string {
  return `${pathText(["datacenters", datacenter])}.availabilityZone`;
}
