import type { Problem } from "../problems";
import { isGiven, names, sortedEntries, type Draft } from "../shape/draft";
import { listNames, nearest, pathText, quote } from "../shape/words";

type DraftService = NonNullable<NonNullable<Draft["services"]>[string]>;

/** Ports that the load balancers themselves listen on. */
const TAKEN = new Map([
  [22, "SSH"],
  [8404, "haproxy's metrics"],
]);

const PORT_KEYS = ["http", "https", "tcp"] as const;

const HTTP_ONLY = ["http", "https", "certificate", "redirect", "healthCheck"] as const;

export function* checkServices(draft: Draft): Generator<Problem> {
  if (!draft.services) return;
  const services = sortedEntries(draft.services);
  if (services.length === 0) {
    yield {
      path: "services",
      cause: "is empty; a cluster needs at least one service",
      mend: "write for example `web: { http: 80, servers: app }`",
    };
  }
  for (const [name, service] of services) {
    if (!service) continue;
    const path = (key: string) => pathText(["services", name, key]);
    yield* checkKind(pathText(["services", name]), service);
    yield* checkReferences(path, service, draft);
    if (service.healthCheck !== undefined && !/^\/[A-Za-z0-9._~/?=&%+,:@-]{0,200}$/.test(service.healthCheck)) {
      yield {
        path: path("healthCheck"),
        cause: `${quote(service.healthCheck)} can't be the path of a URL`,
        mend: "write a path that begins with /, without spaces or quotes, for example /healthz",
      };
    }
  }
}

/** Either HTTP, HTTPS or both, or plain TCP. */
function* checkKind(path: string, service: DraftService): Generator<Problem> {
  const [http, https, tcp] = [isGiven(service, "http"), isGiven(service, "https"), isGiven(service, "tcp")];
  if (!http && !https && !tcp) {
    yield { path, cause: "listens on no port", mend: "write `http`, `https` or both, or `tcp`, each with its port" };
    return;
  }
  if (tcp) {
    for (const key of HTTP_ONLY.filter((key) => isGiven(service, key))) {
      yield {
        path: `${path}.${key}`,
        cause: "belongs to HTTP, but this service is plain TCP (`tcp`)",
        mend: `remove \`${key}\`, or make a second service of it`,
      };
    }
    return;
  }
  if (https && !isGiven(service, "certificate")) {
    yield {
      path: `${path}.certificate`,
      cause: "is missing; HTTPS needs one",
      mend: "name a certificate of `certificates`, for example `certificate: www`",
    };
  }
  if (service.redirect === true && !(http && https)) {
    yield {
      path: `${path}.redirect`,
      cause: `leads from HTTP to HTTPS, but the service has no \`${http ? "https" : "http"}\``,
      mend: `add \`${http ? "https: 443" : "http: 80"}\`, or remove \`redirect\``,
    };
  }
}

type Names = Record<string, unknown> | undefined;

function* checkReferences(path: (key: string) => string, service: DraftService, draft: Draft): Generator<Problem> {
  const vips = typeof service.vips === "string" ? [service.vips] : service.vips;
  if (vips?.length === 0) {
    yield {
      path: path("vips"),
      cause: "is empty, so nobody could reach the service",
      mend: "name at least one VIP, or leave the line out to mean all of them",
    };
  }
  for (const [index, name] of (vips ?? []).entries()) {
    yield* checkReference(
      typeof service.vips === "string" ? path("vips") : `${path("vips")}[${index}]`,
      name,
      "vips",
      draft.vips,
    );
  }
  yield* checkReference(path("certificate"), service.certificate, "certificates", draft.certificates);
  yield* checkReference(path("servers"), service.servers, "appServers", draft.appServers);
  if (!isGiven(service, "servers") && draft.appServers && names(draft.appServers).length > 1) {
    yield {
      path: path("servers"),
      cause: "is missing, and there is more than one group to choose from",
      mend: `name one of ${listNames(names(draft.appServers))}`,
    };
  }
}

function* checkReference(path: string, name: string | undefined, map: string, known: Names): Generator<Problem> {
  if (name === undefined || !known || Object.hasOwn(known, name)) return;
  const candidates = names(known);
  // A stack without any VIP or group is reported as that, once.
  if (candidates.length === 0 && map !== "certificates") return;
  const meant = nearest(name, candidates);
  yield {
    path,
    cause: `${quote(name)} is not under \`${map}\``,
    mend:
      meant !== undefined
        ? `did you mean \`${meant}\`?`
        : candidates.length > 0
          ? `name one of ${listNames(candidates)}`
          : `add it under \`${map}\``,
  };
}

export function* checkPorts(draft: Draft): Generator<Problem> {
  const owners = new Map<string, string>();
  for (const [name, service] of sortedEntries(draft.services)) {
    if (!service) continue;
    if (service.http !== undefined && service.http === service.https) {
      yield {
        path: `services.${name}.https`,
        cause: `${service.https} is the service's port for HTTP too`,
        mend: "give HTTP and HTTPS different ports, usually 80 and 443",
      };
    }
    for (const key of PORT_KEYS) {
      const port = service[key];
      if (port === undefined || (key === "https" && port === service.http)) continue;
      const path = `services.${name}.${key}`;
      yield* checkTaken(path, port);
      yield* checkClash(path, port, vipsOf(service, draft), owners);
    }
  }
  if (draft.database?.port !== undefined) yield* checkTaken("database.port", draft.database.port);
}

function* checkTaken(path: string, port: number): Generator<Problem> {
  const user = TAKEN.get(port);
  if (user !== undefined)
    yield { path, cause: `${port} is taken on every load balancer, by ${user}`, mend: "choose another port" };
}

/** One message per pair of services, however many VIPs they share. */
function* checkClash(path: string, port: number, vips: string[], owners: Map<string, string>): Generator<Problem> {
  const clashes = new Map<string, string[]>();
  for (const vip of vips) {
    const owner = owners.get(`${vip}:${port}`);
    if (owner === undefined) owners.set(`${vip}:${port}`, path);
    else clashes.set(owner, [...(clashes.get(owner) ?? []), vip]);
  }
  for (const [owner, shared] of clashes) {
    yield {
      path,
      cause: `${port} is the port of \`${owner}\` already, on VIP ${shared.map((vip) => `\`${vip}\``).join(", ")}`,
      mend: "give one of them another port, or another VIP",
    };
  }
}

/** The VIPs a service listens on, as far as they are known; all of them unless it says otherwise. */
function vipsOf(service: DraftService, draft: Draft): string[] {
  if (!isGiven(service, "vips")) return names(draft.vips);
  const given = typeof service.vips === "string" ? [service.vips] : (service.vips ?? []);
  return [...new Set(given.filter((name): name is string => name !== undefined))].sort();
}
