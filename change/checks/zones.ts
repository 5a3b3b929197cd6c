import type { Problem } from "../../config/problems";
import { listNames, pathText } from "../../config/shape/words";
import type { Change, Cloud, PlannedServer } from "../change";

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
 * stands in that zone, Nova may have no host for it, and then it is gone.
 */
export function room({ kept, replaced }: Change, { zones }: Cloud): Problem[] {
  const at = new Map(kept.map(({ planned, standing }) => [planned.id, zones[planned.id] ?? standing.zone]));
  const problems: Problem[] = [];
  for (const { planned } of replaced) {
    if (at.get(planned.id) === planned.availabilityZone) continue;
    const there = kept.filter(
      (each) =>
        each.planned.role === planned.role &&
        each.planned.role !== "app-server" &&
        at.get(each.planned.id) === planned.availabilityZone,
    );
    if (there.length > 0) {
      problems.push({
        path: zoneOf(planned),
        cause: `would move ${planned.id} to ${planned.availabilityZone} while ${listNames(there.map((each) => each.planned.id))} is there: no two of a kind share a hypervisor, and whether the zone has another one can't be seen`,
        mend: "move by way of a zone that is free: first the one there, `pulumi up`, then the other",
      });
    }
    at.set(planned.id, planned.availabilityZone);
  }
  return problems;
}

/** The key that says a server's zone. */
export function zoneOf({ datacenter }: PlannedServer): string {
  return `${pathText(["datacenters", datacenter])}.availabilityZone`;
}
