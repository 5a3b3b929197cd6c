import { type Change, changeOf, type Cloud, everyServer, UNASKED } from "../../change/change";
import { deployed, type Resource } from "../../change/deployed";
import { refusals } from "../../change/refuse";
import { plan } from "../../plan/plan";
import { SECRETS } from "./changes";
import { dualStack, type Raw, specOf } from "./specs";
import { stateOf } from "./state";

/** Of the plain dual stack: who there is. */
export const ALL = everyServer(plan(specOf(dualStack()))).map(({ id }) => id);

/** What is to happen to it with this file, and what is refused. */
export function look(now: Raw, cloud: Cloud = UNASKED, state: (all: Resource[]) => Resource[] = (all) => all) {
  const standing = deployed(state(stateOf(plan(specOf(dualStack())))));
  const spec = specOf(now);
  const planned = plan(spec);
  const intent = { mayDelete: [], mayReplace: spec.mayReplace, mayRepair: [] };
  const change = changeOf(planned, standing, intent, cloud);
  return { planned, standing, change, problems: refusals(planned, intent, SECRETS, standing, change, cloud) };
}

export function ids(change: Pick<Change, "replaced">): string[] {
  return change.replaced.map(({ planned }) => planned.id);
}

/** Datacenters in other zones. */
export const moved = (zones: Record<string, string>, mayReplace: string[]): Raw =>
  dualStack({
    datacenters: Object.fromEntries(
      ["dc1", "dc2", "dc3"].map((name) => [name, zones[name] === undefined ? {} : { availabilityZone: zones[name] }]),
    ),
    mayReplace,
  });
