import type { Problem } from "../../config/problems";
import type { Service, Spec } from "../../config/spec";
import { certificatePath, METRICS_PORT, type Bind, type Frontend, type Haproxy, type Rule } from "../haproxy";
import type { Plan, PlannedLoadBalancer } from "../plan";
import { contradiction, onEach, repeated } from "./report";

/** What haproxy must listen for, and what becomes of it. */
interface Listener {
  path: string;
  port: number;
  /** All VIPs of it, both families. */
  addresses: string[];
  mode: Frontend["mode"];
  scheme?: Frontend["scheme"];
  certificate?: string;
  action: Rule["action"];
}

const FILE = "plan/haproxy.ts";

/** Every service is bound on every address of every VIP that it names, and leads to its own backend; nothing else is bound. */
export function* checkListeners(spec: Spec, planned: Plan): Iterable<Problem> {
  const addresses = new Map(spec.vips.map((vip) => [vip.name, [vip.ipv4, vip.ipv6].filter((ip) => ip !== undefined)]));
  const wanted: Listener[] = [
    ...spec.services.flatMap((service) =>
      listenersOf(
        service,
        service.vips.flatMap((name) => addresses.get(name) ?? []),
      ),
    ),
    ...(planned.database ? [databaseListener(spec)] : []),
  ];
  yield* onEach(planned, function* (node) {
    yield* checkBinds(node.haproxy, wanted);
    yield* checkMetrics(node);
  });
}

function databaseListener({ database, internal }: Spec): Listener {
  const path = "database.port";
  return { path, port: database.port, addresses: [internal.vip], mode: "tcp", action: { backend: "database" } };
}

function listenersOf(service: Service, addresses: string[]): Listener[] {
  const path = `services.${service.name}`;
  const toServers = { backend: service.name };
  if (service.kind === "tcp") {
    return [{ path: `${path}.tcp`, port: service.port, addresses, mode: "tcp", action: toServers }];
  }
  const { http, https, redirect } = service;
  const listeners: Listener[] = [];
  if (http !== undefined) {
    const action = redirect && https ? { redirectToHttps: https.port } : toServers;
    listeners.push({ path: `${path}.http`, port: http, addresses, mode: "http", scheme: "http", action });
  }
  if (https) {
    const certificate = certificatePath(https.certificate);
    const how = { mode: "http", scheme: "https", certificate, action: toServers } as const;
    listeners.push({ path: `${path}.https`, port: https.port, addresses, ...how });
  }
  return listeners;
}

function* checkBinds({ frontends }: Haproxy, wanted: Listener[]): Iterable<Problem> {
  const bound = frontends.flatMap((frontend) => frontend.binds.map((bind) => ({ frontend, bind })));
  const left = new Map(bound.map((each) => [endpoint(each.bind), each]));
  for (const listener of wanted) {
    for (const address of listener.addresses) {
      const key = endpoint({ address, port: listener.port });
      const found = left.get(key);
      left.delete(key);
      if (found) yield* checkBind(found.frontend, found.bind, listener);
      else yield contradiction(listener.path, `haproxy has no bind for ${key}, so it refuses connections there`, FILE);
    }
  }
  for (const [key, { frontend }] of left) {
    yield contradiction("(haproxy)", `${frontend.name} binds ${key}, which no service accounts for`, FILE);
  }
  // haproxy takes both, and the kernel shares the connections out between them.
  for (const key of repeated(bound.map(({ bind }) => endpoint(bind)))) {
    yield contradiction("(haproxy)", `${key} is bound twice`, FILE);
  }
}

/** No message names the address, so that one mistake on several VIPs is one problem. */
function* checkBind(frontend: Frontend, bind: Bind, listener: Listener): Iterable<Problem> {
  const { path, mode, scheme, certificate } = listener;
  if (frontend.mode !== mode || frontend.scheme !== scheme) {
    const [is, wants] = [frontend, listener].map((each) => each.scheme ?? each.mode);
    yield contradiction(
      path,
      `is bound in the frontend ${frontend.name}, which speaks ${is} rather than ${wants}`,
      FILE,
    );
  }
  if (bind.certificate !== certificate) {
    const cause = `is bound with the certificate ${bind.certificate ?? "(none)"} rather than ${certificate ?? "none"}`;
    yield contradiction(path, cause, FILE);
  }
  const rule = frontend.rules.find(
    ({ destinations: only }) => !only || (only.port === bind.port && only.addresses.includes(bind.address)),
  );
  const [leads, should] = [rule?.action, listener.action].map(describe);
  if (leads !== should) yield contradiction(path, `leads to ${leads} rather than to ${should}`, FILE);
}

function describe(action: Rule["action"] | undefined): string {
  if (!action) return "nothing";
  return "backend" in action ? `the backend ${action.backend}` : `a redirect to port ${action.redirectToHttps}`;
}

/** Metrics stay inside: the exporter asks for no password. */
function* checkMetrics({ haproxy, internal }: PlannedLoadBalancer): Iterable<Problem> {
  const { address, port } = haproxy.metrics;
  if (port !== METRICS_PORT) {
    yield contradiction("(haproxy)", `the metrics are bound on port ${port}, but ${METRICS_PORT} is open`, FILE);
  }
  if (address === internal) return;
  yield contradiction(
    "(haproxy)",
    `the metrics are bound on ${address}, not on the internal address ${internal}`,
    FILE,
  );
}

function endpoint({ address, port }: { address: string; port: number }): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
