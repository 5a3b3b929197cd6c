import { describe } from "node:test";
import { dualStack, elaborate } from "../../support/specs";
import { backend, balancer, breaking, drop, frontend } from "./break";

describe("VIPs in haproxy's binds", () => {
  breaking(
    "one is missing",
    dualStack(),
    (plan) => drop(frontend(plan, "lb-dc1", "https-in").binds, ({ address }) => address.includes(":")),
    "services.web.https",
    /lb-dc1: haproxy has no bind for \[2001:db8:45:67bb::1\]:443/,
  );
  breaking(
    "the database's is missing",
    dualStack(),
    (plan) => drop(frontend(plan, "lb-dc1", "database-in").binds, () => true),
    "database.port",
    /no bind for 198\.51\.100\.1:3306/,
  );
  breaking(
    "one that no service accounts for",
    dualStack(),
    (plan) => frontend(plan, "lb-dc1", "http-in").binds.push({ address: "203.0.113.100", port: 8081 }),
    "(haproxy)",
    /http-in binds 203\.0\.113\.100:8081, which no service/,
  );
  breaking(
    "one twice",
    dualStack(),
    (plan) => frontend(plan, "lb-dc1", "http-in").binds.push({ address: "203.0.113.100", port: 80 }),
    "(haproxy)",
    /203\.0\.113\.100:80 is bound twice/,
  );
  breaking(
    "HTTPS without a certificate",
    dualStack(),
    (plan) => frontend(plan, "lb-dc1", "https-in").binds.forEach((bind) => delete bind.certificate),
    "services.web.https",
    /certificate \(none\) rather than \/etc\/haproxy\/certs\/www\.pem/,
  );
  breaking(
    "HTTP with one",
    dualStack(),
    (plan) => (frontend(plan, "lb-dc1", "http-in").binds[0]!.certificate = "/etc/haproxy/certs/www.pem"),
    "services.web.http",
    /www\.pem rather than none/,
  );
  breaking(
    "a frontend that says http of what is https",
    dualStack(),
    (plan) => (frontend(plan, "lb-dc1", "https-in").scheme = "http"),
    "services.web.https",
    /https-in, which speaks http rather than https/,
  );
  breaking(
    "a frontend of the wrong mode",
    elaborate(),
    (plan) => (frontend(plan, "lb-ams", "queue-in").mode = "http"),
    "services.queue.tcp",
    /speaks http rather than tcp/,
  );
  breaking(
    "metrics for everybody",
    dualStack(),
    (plan) => (balancer(plan, "lb-dc1").haproxy.metrics.address = "203.0.113.11"),
    "(haproxy)",
    /metrics are bound on 203\.0\.113\.11/,
  );
  breaking(
    "metrics behind a closed port",
    dualStack(),
    (plan) => (balancer(plan, "lb-dc1").haproxy.metrics.port = 8405),
    "(haproxy)",
    /bound on port 8405, but 8404 is open/,
  );
});

describe("the way from a bind to a backend", () => {
  breaking(
    "leads to another service",
    elaborate(),
    (plan) => (frontend(plan, "lb-ams", "https-in").rules[0]!.action = { backend: "web" }),
    "services.api.https",
    /leads to the backend web rather than to the backend api/,
  );
  breaking(
    "leads nowhere",
    elaborate(),
    (plan) =>
      drop(frontend(plan, "lb-ams", "https-in").rules, ({ action }) => "backend" in action && action.backend === "api"),
    "services.api.https",
    /leads to nothing/,
  );
  breaking(
    "forgets a VIP",
    elaborate(),
    (plan) =>
      drop(frontend(plan, "lb-ams", "https-in").rules[1]!.destinations!.addresses, (each) => each === "203.0.113.102"),
    "services.web.https",
    /leads to nothing/,
  );
  breaking(
    "redirects to the wrong port",
    elaborate(),
    (plan) => (frontend(plan, "lb-ams", "http-in").rules[0]!.action = { redirectToHttps: 443 }),
    "services.api.http",
    /a redirect to port 443 rather than to a redirect to port 8443/,
  );
  breaking(
    "does not redirect",
    elaborate(),
    (plan) => (frontend(plan, "lb-ams", "http-in").rules[1]!.action = { backend: "web" }),
    "services.web.http",
    /the backend web rather than to a redirect/,
  );
});

describe("backends", () => {
  breaking(
    "a service without one",
    dualStack(),
    (plan) => drop(balancer(plan, "lb-dc1").haproxy.backends, ({ name }) => name === "web"),
    "services.web",
    /no backend/,
  );
  breaking(
    "one of no service",
    dualStack(),
    (plan) => {
      const { backends } = balancer(plan, "lb-dc1").haproxy;
      backends.push({ ...backends[0]!, name: "old" });
    },
    "(haproxy)",
    /the backend old belongs to no service/,
  );
  breaking(
    "two of one name",
    dualStack(),
    (plan) => {
      const { backends } = balancer(plan, "lb-dc1").haproxy;
      backends.push(backends[0]!);
    },
    "(haproxy)",
    /two backends web/,
  );
  breaking(
    "the wrong mode",
    dualStack(),
    (plan) => (backend(plan, "lb-dc1", "web").mode = "tcp"),
    "services.web",
    /speaks tcp, but the service http/,
  );
  breaking(
    "a server is missing",
    elaborate(),
    (plan) => drop(backend(plan, "lb-ams", "web").servers, ({ name }) => name === "acme-app-ams-2"),
    "services.web.servers",
    /lacks the servers acme-app-ams-2/,
  );
  breaking(
    "a server of another group",
    elaborate(),
    (plan) => backend(plan, "lb-ams", "web").servers.push(backend(plan, "lb-ams", "api").servers[0]!),
    "services.web.servers",
    /acme-backend-ams-1, which is none of these/,
  );
  breaking(
    "a server at another address",
    elaborate(),
    (plan) => (backend(plan, "lb-ams", "web").servers[0]!.address = "192.0.2.99"),
    "services.web.servers",
    /at 192\.0\.2\.99:8080, but it is at/,
  );
  breaking(
    "a server at another port",
    elaborate(),
    (plan) => (backend(plan, "lb-ams", "api").servers[0]!.port = 8080),
    "services.api.servers",
    /:8080, but it is at .*:9000/,
  );
  breaking(
    "a server that only stands by",
    elaborate(),
    (plan) => (backend(plan, "lb-ams", "web").servers[0]!.backup = true),
    "services.web.servers",
    /only a backup/,
  );
  breaking(
    "another health check",
    dualStack(),
    (plan) => (backend(plan, "lb-dc1", "web").check = { kind: "http", path: "/" }),
    "services.web.healthCheck",
    /checks \/ rather than \/healthz/,
  );
});

describe("the database", () => {
  breaking(
    "without a backend",
    dualStack(),
    (plan) => drop(balancer(plan, "lb-dc1").haproxy.backends, ({ name }) => name === "database"),
    "database",
    /no backend for the database/,
  );
  breaking(
    "spoken to in HTTP",
    dualStack(),
    (plan) => (backend(plan, "lb-dc1", "database").mode = "http"),
    "database",
    /its backend speaks http/,
  );
  breaking(
    "without one of its servers",
    dualStack(),
    (plan) => backend(plan, "lb-dc1", "database").servers.pop(),
    "database",
    /lacks the servers dev-db-dc3/,
  );
  breaking(
    "a server at another port",
    dualStack(),
    (plan) => (backend(plan, "lb-dc1", "database").servers[2]!.port = 3307),
    "database",
    /:3307, but it is at .*:3306/,
  );
  breaking(
    "its status at another port",
    dualStack(),
    (plan) => Object.assign(backend(plan, "lb-dc1", "database").check, { port: 9201 }),
    "database",
    /checks it on port 9201/,
  );
  breaking(
    "its status not asked for",
    dualStack(),
    (plan) => (backend(plan, "lb-dc1", "database").check = { kind: "tcp" }),
    "database",
    /by tcp, but the status service/,
  );
  breaking(
    "two writers at once",
    dualStack(),
    (plan) => plan.loadBalancers.forEach(({ id }) => (backend(plan, id, "database").servers[1]!.backup = false)),
    "database",
    /not one writer, the same everywhere: dev-db-dc1 and dev-db-dc2/,
  );
  breaking(
    "no writer",
    dualStack(),
    (plan) => plan.loadBalancers.forEach(({ id }) => (backend(plan, id, "database").servers[0]!.backup = true)),
    "database",
    /not one writer, the same everywhere: nobody/,
  );
  breaking(
    "another writer on another load balancer",
    dualStack(),
    (plan) => {
      const [first, second] = backend(plan, "lb-dc3", "database").servers;
      [first!.backup, second!.backup] = [true, false];
    },
    "database",
    /dev-db-dc2 on lb-dc3; dev-db-dc1 on lb-dc2, lb-dc1/,
  );
  breaking(
    "where nobody looks for it",
    dualStack(),
    (plan) => (plan.database!.port = 3307),
    "database",
    /look for it at 198\.51\.100\.1:3307, but it is at 198\.51\.100\.1:3306/,
  );
  breaking(
    "a node that the others do not know",
    dualStack(),
    (plan) => plan.database!.nodes.pop(),
    "database",
    /nodes look for each other/,
  );
  breaking(
    "two nodes that found it",
    dualStack(),
    (plan) => plan.databases.forEach((node) => (node.founder = true)),
    "database",
    /would found it, but one node must/,
  );
});
