import type { HttpService, Service, Spec } from "../config/spec";
import { type HaproxyRelease, ROWS } from "./releases";
import { type DatabaseCluster, MARIADB_PORT } from "./database";
import type { LoadBalancer, Servers } from "./servers";
import { DATABASE_CHECK, DATABASE_IDLE, HAPROXY_TIMERS, type HaproxyTimers } from "./timers";

export interface Haproxy {
  frontends: Frontend[];
  backends: Backend[];
  /** What the daemon of this machine understands. */
  release: HaproxyRelease;
  /** Prometheus exporter, on the load balancer's own internal address. */
  metrics: { address: string; port: number };
  timers: HaproxyTimers;
}

export interface Frontend {
  name: string;
  mode: "http" | "tcp";
  /** X-Forwarded-Proto of what comes in here; only in mode http. */
  scheme?: "http" | "https";
  binds: Bind[];
  /** Seconds; the timers' own unless said here. */
  clientTimeout?: number;
  /** Applied in order; a rule without `destinations` takes everything that is left. */
  rules: Rule[];
}

export interface Bind {
  address: string;
  port: number;
  /** Path of the PEM file with certificate, chain and key. */
  certificate?: string;
}

export interface Rule {
  destinations?: { addresses: string[]; port: number };
  action: { backend: string } | { redirectToHttps: number };
}

export interface Backend {
  name: string;
  mode: "http" | "tcp";
  check: { kind: "http"; path: string } | { kind: "tcp" } | GaleraCheck;
  /** Seconds; the timers' own unless said here. */
  serverTimeout?: number;
  servers: { name: string; address: string; port: number; backup: boolean }[];
}

/** Seconds; `fastInter` from the first answer that is not the expected one. */
export interface GaleraCheck {
  kind: "galera";
  port: number;
  inter: number;
  fastInter: number;
}

export const METRICS_PORT = 8404;

export function certificatePath(name: string): string {
  return `/etc/haproxy/certs/${name}.pem`;
}

export function planHaproxy(
  spec: Spec,
  node: LoadBalancer,
  servers: Servers,
  database: DatabaseCluster | undefined,
): Haproxy {
  return {
    release: ROWS[node.release].haproxy,
    frontends: [...httpFrontends(spec), ...tcpFrontends(spec), ...(database ? [databaseFrontend(database)] : [])],
    backends: [
      ...spec.services.map((service) => serviceBackend(service, servers)),
      ...(database ? [databaseBackend(database)] : []),
    ],
    metrics: { address: node.internal, port: METRICS_PORT },
    timers: HAPROXY_TIMERS,
  };
}

function httpFrontends(spec: Spec): Frontend[] {
  const services = spec.services.filter((service): service is HttpService => service.kind === "http");
  const plain = services.filter((service) => service.http !== undefined);
  const secure = services.filter((service) => service.https !== undefined);
  const frontends: Frontend[] = [];
  if (plain.length > 0) {
    frontends.push({
      name: "http-in",
      mode: "http",
      scheme: "http",
      binds: plain.flatMap((service) => binds(spec, service, service.http!)),
      rules: rules(
        spec,
        plain,
        (service) => service.http!,
        (service) => (service.redirect ? { redirectToHttps: service.https!.port } : { backend: service.name }),
      ),
    });
  }
  if (secure.length > 0) {
    frontends.push({
      name: "https-in",
      mode: "http",
      scheme: "https",
      binds: secure.flatMap((service) =>
        binds(spec, service, service.https!.port).map((bind) => ({
          ...bind,
          certificate: certificatePath(service.https!.certificate),
        })),
      ),
      rules: rules(
        spec,
        secure,
        (service) => service.https!.port,
        (service) => ({ backend: service.name }),
      ),
    });
  }
  return frontends;
}

function rules(
  spec: Spec,
  services: HttpService[],
  port: (service: HttpService) => number,
  action: (service: HttpService) => Rule["action"],
): Rule[] {
  if (services.length === 1) return [{ action: action(services[0]!) }];
  return services.map((service) => ({
    destinations: { addresses: vipAddresses(spec, service), port: port(service) },
    action: action(service),
  }));
}

function tcpFrontends(spec: Spec): Frontend[] {
  return spec.services.flatMap((service) =>
    service.kind !== "tcp"
      ? []
      : [
          {
            name: `${service.name}-in`,
            mode: "tcp" as const,
            binds: binds(spec, service, service.port),
            rules: [{ action: { backend: service.name } }],
          },
        ],
  );
}

const DATABASE_FRONTEND = "database-in";

/** Whether it is where applications look for the database. */
export function isDatabaseFrontend({ name }: Frontend): boolean {
  return name === DATABASE_FRONTEND;
}

function databaseFrontend(database: DatabaseCluster): Frontend {
  return {
    name: DATABASE_FRONTEND,
    mode: "tcp",
    binds: [{ address: database.address, port: database.port }],
    clientTimeout: DATABASE_IDLE,
    rules: [{ action: { backend: "database" } }],
  };
}

/** One writer, the others stand by: Galera's certification makes concurrent writers fail at commit. */
function databaseBackend(database: DatabaseCluster): Backend {
  return {
    name: "database",
    mode: "tcp",
    check: { kind: "galera", port: database.statusPort, ...DATABASE_CHECK },
    serverTimeout: DATABASE_IDLE,
    servers: database.nodes.map((node, index) => ({
      name: node.hostname,
      address: node.address,
      port: MARIADB_PORT,
      backup: index > 0,
    })),
  };
}

function serviceBackend(service: Service, servers: Servers): Backend {
  return {
    name: service.name,
    mode: service.kind,
    check: service.kind === "http" ? { kind: "http", path: service.healthCheck } : { kind: "tcp" },
    servers: servers.apps
      .filter((app) => app.group === service.servers)
      .map((app) => ({ name: app.hostname, address: app.internal, port: app.port, backup: false })),
  };
}

function binds(spec: Spec, service: Service, port: number): Bind[] {
  return vipAddresses(spec, service).map((address) => ({ address, port }));
}

function vipAddresses(spec: Spec, service: Service): string[] {
  return spec.vips
    .filter((vip) => service.vips.includes(vip.name))
    .flatMap((vip) => [vip.ipv4, vip.ipv6])
    .filter((ip): ip is string => ip !== undefined);
}
