import type { Problem } from "../problems";
import { RELEASE_PORT } from "../spec";
import { names, sortedEntries, type Draft } from "../shape/draft";
import { listNames, nearest, pathText, quote, type PathPart } from "../shape/words";

const RUNTIMES = ["python"];
const ENGINES = ["galera"];

/** Ports that application servers themselves listen on. */
const TAKEN = new Map([
  [22, "is the SSH server's port on every machine"],
  [RELEASE_PORT, "is the port on which application servers give each other their release"],
]);

export function* checkMachines(draft: Draft): Generator<Problem> {
  const datacenters = draft.datacenters && names(draft.datacenters);
  yield* checkPerDatacenter(["loadBalancers", "flavor"], draft.loadBalancers?.flavor, datacenters);
  yield* checkPerDatacenter(["database", "flavor"], draft.database?.flavor, datacenters);
  for (const [name, version] of sortedEntries(draft.loadBalancers?.packages ?? {})) {
    yield* checkVersion(`loadBalancers.packages.${name}`, version);
  }
  yield* checkSupported("database.engine", draft.database?.engine, ENGINES);
  if (!draft.appServers) return;
  if (names(draft.appServers).length === 0) {
    yield {
      path: "appServers",
      cause: "is empty; a cluster needs at least one group of application servers",
      mend: "write for example `app: { perDatacenter: 1 }`",
    };
  }
  for (const [name, group] of sortedEntries(draft.appServers)) {
    yield* checkPerDatacenter(["appServers", name, "perDatacenter"], group?.perDatacenter, datacenters);
    yield* checkPerDatacenter(["appServers", name, "flavor"], group?.flavor, datacenters);
    yield* checkSupported(pathText(["appServers", name, "runtime"]), group?.runtime, RUNTIMES);
    const port = group?.port;
    const user = port === undefined ? undefined : TAKEN.get(port);
    if (user !== undefined) {
      yield {
        path: pathText(["appServers", name, "port"]),
        cause: `${port} ${user}`,
        mend: "choose another port, for example 8080",
      };
    }
  }
}

/** A map per datacenter names each of them, and nothing else. */
function* checkPerDatacenter(path: PathPart[], value: unknown, datacenters: string[] | undefined): Generator<Problem> {
  if (typeof value !== "object" || value === null || !datacenters) return;
  for (const name of names(value as Record<string, unknown>)) {
    if (datacenters.includes(name)) continue;
    const meant = nearest(name, datacenters);
    yield {
      path: pathText([...path, name]),
      cause: `${quote(name)} is no datacenter of this stack`,
      mend: meant === undefined ? `name one of ${listNames(datacenters)}` : `did you mean \`${meant}\`?`,
    };
  }
  const missing = datacenters.filter((name) => !Object.hasOwn(value, name));
  if (missing.length > 0) {
    yield {
      path: pathText(path),
      cause: `says nothing for ${listNames(missing)}`,
      mend: "name every datacenter, or write one value for all of them",
    };
  }
}

/** deb-version(7); it becomes a word of apt's command line. */
function* checkVersion(path: string, version: string | undefined): Generator<Problem> {
  if (version === undefined || /^(\d+:)?\d[A-Za-z0-9.+~-]*$/.test(version)) return;
  yield {
    path,
    cause: `${quote(version)} can't be the version of a Debian package`,
    mend: "write one that `apt-cache policy` shows on a load balancer, for example 2.6.12-1+deb12u3",
  };
}

function* checkSupported(path: string, value: string | undefined, supported: string[]): Generator<Problem> {
  if (value === undefined || supported.includes(value)) return;
  const meant = nearest(value, supported);
  yield {
    path,
    cause: `${quote(value)} is not supported by this release; ${listNames(supported)} is`,
    mend: meant === undefined ? `write ${supported.join(" or ")}, or leave the line out` : `did you mean \`${meant}\`?`,
  };
}
