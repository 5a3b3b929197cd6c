import { type Finding, pushable, REPAIR } from "../finding";
import type { DeployedMachine } from "../gather/deployed";
import type { MachineFacts } from "../gather/facts";
import { pushedLines } from "./network";

export interface Look {
  machine: DeployedMachine;
  facts: MachineFacts;
}

/**
 * One master, with every VIP of both families and the gateway on it; no VIP anywhere else; no maintenance mark left.
 *
 * @param complete whether every load balancer could be looked at: the master may be the one that could not.
 */
export function checkVrrp(looks: readonly Look[], complete: boolean): Finding[] {
  const balancers = looks.filter(({ machine }) => machine.role === "load-balancer");
  const groups = unique(balancers.flatMap(({ facts }) => [...facts.marks.keys()].filter((name) => isGroup(name))));
  return [
    ...groups.flatMap((group) => checkMasters(balancers, group, complete)),
    ...checkVips(balancers, complete),
    ...balancers.flatMap(({ machine, facts }) => checkMarks(machine, facts)),
  ];
}

const isGroup = (mark: string): boolean => mark.startsWith("group-") && !mark.endsWith(".new");

function isMaster({ facts }: Look): boolean {
  return [...facts.marks].some(([mark, state]) => isGroup(mark) && state === "MASTER");
}

function checkMasters(balancers: readonly Look[], group: string, complete: boolean): Finding[] {
  const masters = balancers
    .filter(({ facts }) => facts.marks.get(group) === "MASTER")
    .map(({ machine }) => machine.name);
  if (masters.length === 1 || (masters.length === 0 && !complete)) return [];
  return [
    {
      check: "vrrp",
      where: [...masters].sort().join(", ") || "load balancers",
      what: `sync group ${group.slice("group-".length)}`,
      severity: "drift",
      expected: "one master",
      found: masters.length === 0 ? "none" : `${masters.length} masters`,
      mend: "do the load balancers reach each other by VRRP (protocol 112)? journalctl -u keepalived on each",
    },
  ];
}

function checkVips(balancers: readonly Look[], complete: boolean): Finding[] {
  const vips = new Set(balancers.flatMap(({ machine }) => vipsOf(machine)));
  return [...vips].flatMap((vip) => {
    const holders = balancers.filter(({ facts }) => facts.addresses.has(vip));
    const [device, address] = vip.split(" ");
    const strays = holders.filter((look) => !isMaster(look));
    const findings = strays.map(({ machine }) =>
      pushable("config", {
        check: "vrrp",
        where: machine.name,
        what: address!,
        expected: "on the master alone",
        found: `on ${device} of a backup`,
      }),
    );
    if (holders.length > strays.length) return findings;
    const master = balancers.find(isMaster)?.machine.name;
    if (master !== undefined) {
      findings.push(
        pushable("config", {
          check: "vrrp",
          where: master,
          what: address!,
          expected: "on the master",
          found: "missing",
        }),
      );
    } else if (complete && strays.length === 0) {
      findings.push({
        check: "vrrp",
        where: "load balancers",
        what: address!,
        severity: "drift",
        expected: "on one load balancer",
        found: "on none",
        mend: "systemctl status keepalived on each load balancer",
      });
    }
    return findings;
  });
}

function checkMarks(machine: DeployedMachine, facts: MachineFacts): Finding[] {
  if (!facts.marks.has("maintenance")) return [];
  return [
    {
      check: "vrrp",
      where: machine.name,
      what: "/run/ha-cluster/maintenance",
      severity: "drift",
      expected: "no mark, unless somebody is at work on this machine",
      found: "marked: it gives its VIPs away",
      mend: `rm /run/ha-cluster/maintenance on ${machine.name}, or ${REPAIR}`,
      repair: { kind: "unmark" },
    },
  ];
}

/** `DEVICE ADDRESS/LENGTH` */
function vipsOf(machine: DeployedMachine): string[] {
  return pushedLines(machine, "/etc/ha-cluster/vips").map((fields) => fields.join(" "));
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
