import { describe } from "node:test";
import type { Flow, Zone } from "../../../plan/firewall";
import type { Plan } from "../../../plan/plan";
import { dualStack, elaborate } from "../../support/specs";
import { breaking, drop } from "./break";

type Layer = "flows" | "cloudFlows";

function flow(plan: Plan, layer: Layer, zone: Zone, which: Partial<Flow>): Flow {
  return plan.firewall[layer][zone].find((each) => matches(each, which))!;
}

function close(plan: Plan, layer: Layer, zone: Zone, which: Partial<Flow>): void {
  drop(plan.firewall[layer][zone], (each) => matches(each, which));
}

function matches(each: Flow, which: Partial<Flow>): boolean {
  return Object.entries(which).every(([key, value]) => each[key as keyof Flow] === value);
}

describe("the firewall of the load balancers", () => {
  breaking(
    "a service's port is closed on the machines",
    dualStack(),
    (plan) => close(plan, "flows", "lb-external", { family: "ipv6", port: 443 }),
    "services.web.https",
    /the servers' firewall \(lb-external\) does not let in ipv6 tcp 443, from anybody/,
  );
  breaking(
    "a service's port is closed in the cloud",
    dualStack(),
    (plan) => close(plan, "cloudFlows", "lb-external", { family: "ipv6", port: 443 }),
    "services.web.https",
    /the cloud's security group \(lb-external\) does not let in ipv6 tcp 443/,
  );
  breaking(
    "a service's port is open to some",
    dualStack(),
    (plan) => (flow(plan, "flows", "lb-external", { family: "ipv4", port: 80 }).from = ["203.0.113.0/24"]),
    "services.web.http",
    /lets in ipv4 tcp 80 from 203\.0\.113\.0\/24, but only anybody may/,
  );
  breaking(
    "a port that no service has is open",
    elaborate(),
    (plan) =>
      plan.firewall.flows["lb-external"].push({
        family: "ipv4",
        protocol: "tcp",
        port: 8080,
        from: [],
        why: "forgotten",
      }),
    "(firewall)",
    /the servers' firewall \(lb-external\) lets in ipv4 tcp 8080, which nothing here serves/,
  );
  breaking(
    "VRRP from a load balancer is left out",
    dualStack(),
    (plan) => flow(plan, "flows", "lb-external", { family: "ipv6", protocol: "vrrp" }).from.pop(),
    "datacenters",
    /does not let in ipv6 vrrp from 2001:db8:45:d::1/,
  );
  breaking(
    "VRRP inside is left out",
    dualStack(),
    (plan) => close(plan, "flows", "lb-internal", { protocol: "vrrp" }),
    "datacenters",
    /\(lb-internal\) does not let in ipv4 vrrp/,
  );
  breaking(
    "VRRP from anybody",
    dualStack(),
    (plan) => (flow(plan, "flows", "lb-external", { family: "ipv4", protocol: "vrrp" }).from = []),
    "datacenters",
    /lets in ipv4 vrrp from anybody, but only/,
  );
  breaking(
    "VRRP from another group of the cloud",
    dualStack(),
    (plan) => (flow(plan, "cloudFlows", "lb-external", { family: "ipv4", protocol: "vrrp" }).fromZone = "app"),
    "datacenters",
    /the cloud's security group \(lb-external\) lets in ipv4 vrrp from 198\.51\.100\.33/,
  );
  breaking(
    "SSH from anybody",
    elaborate(),
    (plan) => (flow(plan, "flows", "lb-external", { family: "ipv4", port: 22 }).from = []),
    "ssh.allowedFrom",
    /tcp 22 from anybody, but only 198\.51\.100\.0\/24 may/,
  );
  breaking(
    "the database's frontend is closed",
    dualStack(),
    (plan) => close(plan, "flows", "lb-internal", { port: 3306 }),
    "database.port",
    /tcp 3306/,
  );
  breaking(
    "the cloud does not let through what the gateway passes on",
    dualStack(),
    (plan) => close(plan, "cloudFlows", "lb-internal", { protocol: "any" }),
    "internal.cidr",
    /does not let in ipv4 any/,
  );
  breaking(
    "masquerades another network",
    dualStack(),
    (plan) => (plan.firewall.masquerade = "198.51.100.0/25"),
    "internal.cidr",
    /masquerade 198\.51\.100\.0\/25/,
  );
});

describe("the firewall of the servers behind them", () => {
  breaking(
    "an application's port is closed",
    elaborate(),
    (plan) => close(plan, "flows", "app", { port: 9000 }),
    "appServers.backend.port",
    /the servers' firewall \(app\) does not let in ipv4 tcp 9000/,
  );
  breaking(
    "a load balancer may not ask an application",
    dualStack(),
    (plan) => flow(plan, "flows", "app", { port: 8080 }).from.shift(),
    "appServers.app.port",
    /tcp 8080 from 198\.51\.100\.11/,
  );
  breaking(
    "an application server can't take its release from another",
    dualStack(),
    (plan) => close(plan, "cloudFlows", "app", { port: 9201 }),
    "appServers",
    /cloud's security group \(app\) does not let in ipv4 tcp 9201, from 198\.51\.100\.3[123]/,
  );
  breaking(
    "MariaDB is closed in the cloud",
    dualStack(),
    (plan) => close(plan, "cloudFlows", "database", { port: 3306 }),
    "database",
    /cloud's security group \(database\) does not let in ipv4 tcp 3306/,
  );
  breaking(
    "the health check of the database is closed to load balancers",
    dualStack(),
    (plan) => close(plan, "flows", "database", { port: 9200, fromZone: "lb-internal" }),
    "database",
    /tcp 9200 from 198\.51\.100\.1[123]/,
  );
  breaking(
    "the nodes can't reach each other",
    dualStack(),
    (plan) => close(plan, "flows", "database", { port: 4567, protocol: "udp" }),
    "database.engine",
    /ipv4 udp 4567/,
  );
  breaking(
    "applications reach the database past the load balancers",
    dualStack(),
    (plan) => flow(plan, "flows", "database", { port: 3306 }).from.push("198.51.100.31"),
    "database",
    /tcp 3306 from 198\.51\.100\.31, but only/,
  );
});
