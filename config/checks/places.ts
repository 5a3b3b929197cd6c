import type { Problem } from "../problems";
import { sortedEntries, type Draft } from "../shape/draft";
import { pathText } from "../shape/words";

/** A slot is one datacenter's, or one group's. */
export function* checkPlaces({ datacenters, appServers }: Draft): Generator<Problem> {
  yield* checkTwice(
    sortedEntries(datacenters).map(([name, datacenter]) => ({
      path: pathText(["datacenters", name, "slot"]),
      owner: name,
      slot: datacenter?.slot,
    })),
  );
  yield* checkTwice(
    sortedEntries(appServers).flatMap(([name, group]) =>
      (group?.slots ?? []).map((slot, index) => ({
        path: pathText(["appServers", name, "slots", index]),
        owner: name,
        slot,
      })),
    ),
  );
}

function* checkTwice(given: { path: string; owner: string; slot?: number }[]): Generator<Problem> {
  const owners = new Map<number, string>();
  for (const { path, owner, slot } of given) {
    if (slot === undefined) continue;
    const other = owners.get(slot);
    if (other !== undefined) {
      yield {
        path,
        cause: `${slot} is a slot of \`${other}\` too, so that two servers would have the same address`,
        mend: "leave what stands where it is, and give the other a number that nobody has, or no slot at all",
      };
    }
    owners.set(slot, other ?? owner);
  }
}
