import { type Finding, pushable } from "../finding";
import type { DeployedMachine } from "../gather/deployed";
import type { MachineFacts } from "../gather/facts";
import type { Look } from "./vrrp";

/** Every load balancer's haproxy finds every server behind it healthy. */
export function checkBackends(machine: DeployedMachine, facts: MachineFacts): Finding[] {
  return facts.backends
    .filter(({ server, status }) => server !== "BACKEND" && !/^UP\b/.test(status))
    .map(({ backend, server, status }) => ({
      check: "backends",
      where: machine.name,
      what: `${backend}/${server}`,
      severity: "drift",
      expected: "UP",
      found: status,
      mend: `look at ${server}: systemctl --failed; its own findings, if any, are mended first`,
    }));
}

/** Each database is synced, and all of them are one cluster. */
export function checkGalera(looks: readonly Look[]): Finding[] {
  const databases = looks.filter(({ machine }) => machine.role === "database");
  return databases.flatMap(({ machine, facts }) => {
    const find = (what: string, expected: string, found: string | undefined): Finding[] =>
      found === expected
        ? []
        : [
            pushable("config", {
              check: "galera",
              where: machine.name,
              what,
              expected,
              found: found ?? "MariaDB does not answer",
            }),
          ];
    const value = (name: string): string | undefined => facts.galera.get(`wsrep_${name}`);
    if (facts.galera.size === 0) return find("MariaDB", "answers", undefined);
    return [
      ...find("state", "Synced", value("local_state_comment")),
      ...find("component", "Primary", value("cluster_status")),
      ...find("nodes in the cluster", String(nodes(machine)), value("cluster_size")),
    ];
  });
}

function nodes(machine: DeployedMachine): number {
  const facts = machine.files.find(({ path }) => path === "/etc/ha-cluster/galera")?.text ?? "";
  return (/^NODES="(.*)"$/m.exec(facts)?.[1] ?? "").split(" ").length;
}
