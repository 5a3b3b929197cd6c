import { type Finding, pushable } from "../finding";
import type { DeployedMachine } from "../gather/deployed";
import type { MachineFacts } from "../gather/facts";
import type { Look } from "./vrrp";

/**
 * Every load balancer's haproxy finds every server behind it healthy.
 *
 * @param broken names of servers that can't be, for a reason that is told
 */
export function checkBackends(machine: DeployedMachine, facts: MachineFacts, broken: ReadonlySet<string>): Finding[] {
  return facts.backends
    .filter(({ server, status }) => server !== "BACKEND" && !/^UP\b/.test(status) && !broken.has(server))
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

/**
 * Each database is synced, and all of them are one cluster.
 *
 * @param absent how many others are not synced, for a reason that is told of each
 */
export function checkGalera(looks: readonly Look[], absent: number): Finding[] {
  return looks.filter(({ machine }) => machine.role === "database").flatMap((look) => checkNode(look, absent));
}

function checkNode({ machine, facts }: Look, absent: number): Finding[] {
  const about = { check: "galera", where: machine.name } as const;
  const find = (what: string, expected: string, found = "MariaDB does not answer"): Finding[] =>
    found === expected ? [] : [pushable("config", { ...about, what, expected, found })];
  const value = (name: string): string | undefined => facts.galera.get(`wsrep_${name}`);
  if (facts.galera.size === 0) return find("MariaDB", "answers");
  const unsynced = [
    ...find("state", "Synced", value("local_state_comment")),
    ...find("component", "Primary", value("cluster_status")),
  ];
  if (unsynced.length > 0) return unsynced;
  const [all, size] = [nodes(machine), Number(value("cluster_size"))];
  if (size === all || (size < all && size >= all - absent)) return [];
  // It does its part: a push of it would change nothing.
  return [
    {
      ...{ ...about, what: "nodes in the cluster", severity: "drift", expected: String(all), found: String(size) },
      mend: "mend the databases that are missing from it; do they reach each other (ports 4444, 4567, 4568)?",
    },
  ];
}

function nodes(machine: DeployedMachine): number {
  const facts = machine.files.find(({ path }) => path === "/etc/ha-cluster/galera")?.text ?? "";
  return (/^NODES="(.*)"$/m.exec(facts)?.[1] ?? "").split(" ").length;
}
