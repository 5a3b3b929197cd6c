import { buildSecrets, buildSpec } from "./build";
import { checkExisting } from "./checks/existing";
import { checkExternal, checkOwnPlaces } from "./checks/external";
import { checkIntent } from "./checks/intent";
import { checkAccess, checkInternal } from "./checks/internal";
import { checkMachines } from "./checks/machines";
import { checkNames } from "./checks/names";
import { checkPlaces } from "./checks/places";
import { checkDatacenters } from "./checks/quorum";
import { checkSecrets } from "./checks/secrets";
import { checkPorts, checkServices } from "./checks/services";
import { checkSource } from "./checks/source";
import { checkVips } from "./checks/vips";
import { checkVrrp } from "./checks/vrrp";
import { NOTHING_STANDS, placesOf, type Standing } from "./places";
import type { Problem } from "./problems";
import { readShape, type Draft } from "./shape/draft";
import type { Secrets, Spec } from "./spec";

export type Validated =
  { spec: Spec; secrets: Secrets; problems: [] } | { spec?: undefined; secrets?: undefined; problems: Problem[] };

/**
 * Turns a stack's raw configuration, keyed without the namespace, into the spec, or says everything that is wrong with it
 * at once. Pure: neither the clock, nor the disk, nor Pulumi.
 *
 * @param stack the stack's name, which stands in for the customer's unless `customer` is set
 * @param standing what was built already, and keeps its name and places unless the file says otherwise
 */
export function validate(raw: Record<string, unknown>, stack: string, standing: Standing = NOTHING_STANDS): Validated {
  const { draft, stackFile, problems: ofShape } = readShape(raw);
  const places = stackFile && checkOwnPlaces(stackFile.external, placesOf(stackFile, standing).datacenters);
  const problems = inOrder([...ofShape, ...checkAll(draft, raw, standing, stack), ...(places ?? [])]);
  if (!stackFile || problems.length > 0) return { problems };
  return { spec: buildSpec(stackFile, stack, standing), secrets: buildSecrets(stackFile), problems: [] };
}

function* checkAll(
  draft: Draft,
  raw: Record<string, unknown>,
  { customer, internal: builtAs }: Standing,
  stackName: string,
): Generator<Problem> {
  const stack = customer ?? stackName;
  yield* checkNames(draft, stack);
  yield* checkDatacenters(draft);
  yield* checkPlaces(draft);
  const external = yield* checkExternal(draft);
  const internal = yield* checkInternal(draft, [external.networks.ipv4, external.former.ipv4], builtAs);
  yield* checkAccess(draft);
  yield* checkVips(draft, external);
  yield* checkServices(draft);
  yield* checkPorts(draft);
  yield* checkMachines(draft);
  yield* checkSource(draft, raw);
  yield* checkExisting(draft, external, internal);
  yield* checkVrrp(draft);
  yield* checkSecrets(draft);
  yield* checkIntent(draft, stack);
}

/** By path, each once; not by locale, which differs from machine to machine. */
function inOrder(problems: Problem[]): Problem[] {
  const byKey = new Map(problems.map((problem) => [`${problem.path}\0${problem.cause}`, problem]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, problem]) => problem);
}
