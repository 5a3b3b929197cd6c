import type { Problem } from "../../config/problems";
import type { Service, Spec } from "../../config/spec";
import { type DatabaseCluster, MARIADB_PORT } from "../database";
import { existingBackends } from "../existing";
import type { Backend } from "../haproxy";
import type { Plan } from "../plan";
import type { BackendServer } from "../servers";
import { contradiction, groupBy, onEach, repeated } from "./report";

const FILE = "plan/haproxy.ts";

type Target = Pick<Backend["servers"][number], "address" | "port">;

/** Every backend has the servers that exist, all of them, at their addresses and ports, and the check of its kind. */
export function* checkBackends(spec: Spec, planned: Plan): Iterable<Problem> {
  const cluster = planned.database;
  if (cluster) {
    yield* checkDatabase(spec, planned, cluster);
    yield* checkWriter(planned);
  }
  const apps = planned.source === "existing" ? existingBackends(spec) : planned.appServers;
  const groups = groupBy(apps, (app) => app.group);
  const databases = planned.databases.map((node) => ({
    name: node.hostname,
    address: node.internal,
    port: MARIADB_PORT,
  }));
  yield* onEach(planned, function* ({ haproxy }) {
    const left = new Map(haproxy.backends.map((backend) => [backend.name, backend]));
    const take = (name: string): Backend | undefined => {
      const backend = left.get(name);
      left.delete(name);
      return backend;
    };
    for (const service of spec.services) {
      yield* checkService(service, take(service.name), groups.get(service.servers) ?? []);
    }
    const database = cluster && take("database");
    if (database) {
      yield* checkServers("database", database, databases);
      if (database.mode !== "tcp") yield contradiction("database", `its backend speaks ${database.mode}`, FILE);
      yield* checkStatus(database, cluster.statusPort);
    } else if (cluster) {
      yield contradiction("database", "haproxy has no backend for the database", FILE);
    }
    for (const name of left.keys()) {
      yield contradiction("(haproxy)", `the backend ${name} belongs to no service`, FILE);
    }
    for (const name of repeated(haproxy.backends.map((backend) => backend.name))) {
      yield contradiction("(haproxy)", `there are two backends ${name}`, FILE);
    }
  });
}

function* checkService(service: Service, backend: Backend | undefined, apps: BackendServer[]): Iterable<Problem> {
  const path = `services.${service.name}`;
  if (!backend) {
    yield contradiction(path, "haproxy has no backend for it", FILE);
    return;
  }
  if (backend.mode !== service.kind) {
    yield contradiction(path, `its backend speaks ${backend.mode}, but the service ${service.kind}`, FILE);
  }
  const targets = apps.map((app) => ({ name: app.hostname, address: app.internal, port: app.port }));
  yield* checkServers(`${path}.servers`, backend, targets);
  for (const { name } of backend.servers.filter((server) => server.backup)) {
    yield contradiction(`${path}.servers`, `${name} is only a backup, so it idles while the others work`, FILE);
  }
  const is = backend.check.kind === "http" ? backend.check.path : backend.check.kind;
  const wants = service.kind === "http" ? service.healthCheck : "tcp";
  if (is !== wants) {
    yield contradiction(`${path}.healthCheck`, `its backend checks ${is} rather than ${wants}`, FILE);
  }
}

function* checkServers(path: string, { servers }: Backend, wanted: (Target & { name: string })[]): Iterable<Problem> {
  const left = new Map(wanted.map((target) => [target.name, target]));
  for (const { name, address, port } of servers) {
    const target = left.get(name);
    left.delete(name);
    if (!target) {
      yield contradiction(path, `haproxy has the server ${name}, which is none of these, or has it twice`, FILE);
    } else if (target.address !== address || target.port !== port) {
      const cause = `haproxy looks for ${name} at ${address}:${port}, but it is at ${target.address}:${target.port}`;
      yield contradiction(path, cause, FILE);
    }
  }
  if (left.size > 0) yield contradiction(path, `haproxy lacks the servers ${[...left.keys()].join(", ")}`, FILE);
}

function* checkStatus({ check }: Backend, statusPort: number): Iterable<Problem> {
  if (check.kind === "galera" && check.port === statusPort) return;
  const is = check.kind === "galera" ? `on port ${check.port}` : `by ${check.kind}`;
  yield contradiction(
    "database",
    `haproxy checks it ${is}, but the status service answers on port ${statusPort}`,
    FILE,
  );
}

/** Galera's certification makes one of two writers fail at commit, so all load balancers must choose the same one. */
function* checkWriter({ loadBalancers }: Plan): Iterable<Problem> {
  const writers = groupBy(loadBalancers, ({ haproxy }) => {
    const database = haproxy.backends.find((backend) => backend.name === "database");
    return database?.servers
      .filter((server) => !server.backup)
      .map((server) => server.name)
      .join(" and ");
  });
  writers.delete(undefined);
  const shown = [...writers].map(([names, on]) => `${names || "nobody"} on ${on.map(({ id }) => id).join(", ")}`);
  const one = shown.length === 1 && ![...writers.keys()].some((names) => names === "" || names!.includes(" and "));
  if (writers.size === 0 || one) return;
  yield contradiction("database", `it has not one writer, the same everywhere: ${shown.join("; ")}`, FILE);
}

/** What the database's own configuration and the application are told. */
function* checkDatabase(spec: Spec, { databases }: Plan, database: DatabaseCluster): Iterable<Problem> {
  const file = "plan/database.ts";
  if (database.address !== spec.internal.vip || database.port !== spec.database.port) {
    const [is, wants] = [database, { address: spec.internal.vip, port: spec.database.port }].map(
      ({ address, port }) => `${address}:${port}`,
    );
    yield contradiction("database", `applications look for it at ${is}, but it is at ${wants}`, file);
  }
  const members = (nodes: { id: string; address: string }[]): string =>
    nodes
      .map(({ id, address }) => `${id} ${address}`)
      .sort()
      .join(", ");
  const [is, wants] = [
    members(database.nodes),
    members(databases.map(({ id, internal }) => ({ id, address: internal }))),
  ];
  if (is !== wants) yield contradiction("database", `its nodes look for each other at ${is}, but are ${wants}`, file);
  const founders = databases.filter((node) => node.founder).map((node) => node.id);
  if (founders.length === 1) return;
  const cause = `${founders.join(", ") || "no node"} would found it, but one node must: each makes a cluster of its own`;
  yield contradiction("database", cause, "plan/plan.ts");
}
