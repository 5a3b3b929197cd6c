import type { Problem } from "../problems";
import { isGiven, names, sortedEntries, type Draft } from "../shape/draft";
import { quote } from "../shape/words";

export function* checkDatacenters(draft: Draft): Generator<Problem> {
  yield* checkCount(draft);
  yield* checkZones(draft);
  yield* checkAcceptance(draft.quorumRisk);
}

function* checkCount(draft: Draft): Generator<Problem> {
  if (!draft.datacenters) return;
  const count = names(draft.datacenters).length;
  const accepted = isGiven(draft, "quorumRisk");
  if (count === 2 && !accepted) {
    yield {
      path: "datacenters",
      cause:
        "are two: when one is lost, or the link between them, no majority is left, the database stops accepting writes in both " +
        "and an operator must decide by hand which side goes on",
      mend: 'add a third, or have the customer accept the risk: `ha-cluster:quorumRisk: { acceptedBy: "name and company", on: year-month-day }`',
    };
  } else if (count < 2) {
    yield {
      path: "datacenters",
      cause: count === 0 ? "are none" : "is one only, so its loss would be the loss of everything",
      mend: "write three datacenters, for example `{ dc1: {}, dc2: {}, dc3: {} }`",
    };
  } else if (count > 3) {
    yield {
      path: "datacenters",
      cause: `are ${count}, but a cluster has three`,
      mend: "keep three; put the others in a stack of their own",
    };
  }
  if (count === 3 && accepted) {
    yield {
      path: "quorumRisk",
      cause: "is superfluous: three datacenters have a quorum",
      mend: "remove it, so that nobody thinks the risk is still there",
    };
  }
}

/** Two datacenters in one availability zone fail together. */
function* checkZones(draft: Draft): Generator<Problem> {
  const owners = new Map<string, string>();
  for (const [name, datacenter] of sortedEntries(draft.datacenters)) {
    if (!datacenter || (isGiven(datacenter, "availabilityZone") && datacenter.availabilityZone === undefined)) continue;
    const zone = datacenter.availabilityZone ?? name;
    const owner = owners.get(zone);
    if (owner !== undefined) {
      yield {
        path: `datacenters.${name}.availabilityZone`,
        cause: `${quote(zone)} is the zone of \`${owner}\` too, so both would fail together`,
        mend: "give every datacenter an availability zone of its own",
      };
    }
    owners.set(zone, owner ?? name);
  }
}

function* checkAcceptance(risk: Draft["quorumRisk"]): Generator<Problem> {
  if (risk?.on !== undefined && readDate(risk.on) === undefined) {
    yield {
      path: "quorumRisk.on",
      cause: `${quote(risk.on)} is no date`,
      mend: "write year-month-day, for example 2026-11-22",
    };
  }
}

/**
 * The date as `2026-11-22`, or `undefined` if it is none. Without quotes in the YAML, Pulumi's engine takes it for a moment
 * and hands it on as `2026-11-22 00:00:00 +0000 UTC` (seen with 3.259.0); it even writes it back to the file so.
 */
export function readDate(text: string): string | undefined {
  const date = /^(\d{4}-\d{2}-\d{2})( 00:00:00 \+0000 UTC)?$/.exec(text)?.[1];
  if (date === undefined) return undefined;
  // Date rolls 30 February over to March instead of refusing it.
  const moment = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(date) ? date : undefined;
}
