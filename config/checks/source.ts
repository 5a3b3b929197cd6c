import type { Problem } from "../problems";
import { names, type Draft } from "../shape/draft";
import { listNames, nearest, pathText, quote, type PathPart } from "../shape/words";

const SOURCES = ["existing", "openstack"];

/** Keys that describe machines to be made. */
const ONLY_MADE: PathPart[][] = [
  ["clusterName"],
  ["database"],
  ["mayDelete"],
  ["mayReplace"],
  ["mayDestroy"],
  ["image"],
  ["loadBalancers"],
  ["nameservers"],
  ["ssh"],
  ["external", "network"],
  ["external", "reserveVips"],
  ["external", "ipv4", "loadBalancers"],
  ["external", "ipv6", "firstSubnet"],
  ["internal", "builtAs"],
  ["interfaces", "server"],
];
const ONLY_MADE_PER_GROUP = ["flavor", "image", "perDatacenter", "runtime", "slots"];

/** Keys that describe machines which exist. */
const ONLY_EXISTING: PathPart[][] = [
  ["machines", "privateKey"],
  ["machines", "configureIpv6"],
  ["machines", "loadBalancers"],
];

/**
 * Reports keys that mean nothing with the machines' source: whoever wrote them expects something of them.
 *
 * @param raw the stack file as it stands, since the draft has defaults for keys that nobody wrote
 */
export function* checkSource({ machines, appServers }: Draft, raw: Record<string, unknown>): Generator<Problem> {
  const source = machines?.source;
  if (source === undefined) return;
  if (!SOURCES.includes(source)) {
    const meant = nearest(source, SOURCES);
    yield {
      path: "machines.source",
      cause: `${quote(source)} is no source of machines; ${listNames(SOURCES)} are`,
      mend: meant === undefined ? `write one of ${listNames(SOURCES)}` : `did you mean \`${meant}\`?`,
    };
    return;
  }
  const groups = names(appServers);
  const perGroup = (keys: string[]): PathPart[][] =>
    groups.flatMap((group) => keys.map((key): PathPart[] => ["appServers", group, key]));
  const existing = source === "existing";
  const superfluous = existing
    ? [...ONLY_MADE, ...perGroup(ONLY_MADE_PER_GROUP)]
    : [...ONLY_EXISTING, ...perGroup(["addresses"])];
  for (const path of superfluous.filter((path) => isWritten(raw, path))) {
    yield {
      path: pathText(path),
      cause: existing
        ? "describes machines to be made, but `machines.source` is `existing`: this program makes none"
        : "describes machines that exist, but `machines.source` is `openstack`: they are made",
      mend: existing ? "remove it" : "remove it, or write `source: existing`",
    };
  }
}

function isWritten(raw: unknown, path: readonly PathPart[]): boolean {
  let value = raw;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return false;
    value = (value as Record<PathPart, unknown>)[part];
  }
  return true;
}
