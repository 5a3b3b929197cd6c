import type { Role } from "../../plan/servers";
import { type Finding, pushable } from "../finding";
import type { DeployedMachine } from "../gather/deployed";
import type { MachineFacts, UnitFacts } from "../gather/facts";
import { FIREWALL, owns } from "./network";

interface Daemon {
  unit: string;
  /** `boot`: does its work and ends; enabled is all there is to see. */
  runs: "always" | "boot";
  /** What it read when it started, or was last reloaded. */
  reads: RegExp;
  /** When it did: at the start of its main process, of haproxy's newest worker, or at the unit's last start or reload. */
  since: "main" | "worker" | "unit";
  /** It is ours only where this file is, which on hosts that somebody else built it is not. */
  with?: string;
}

const NOTHING = /^$/;

const FIREWALL_DAEMON: Daemon = {
  unit: "nftables.service",
  runs: "boot",
  reads: NOTHING,
  since: "unit",
  with: FIREWALL,
};

const UNITS = "/etc/systemd/system";
const RELAY_UNIT = "ha-cluster-relay.service";
const RELEASE_SOCKET = "app-release.socket";

const DAEMONS: Record<Role, Daemon[]> = {
  "load-balancer": [
    { unit: "haproxy.service", runs: "always", reads: /^\/etc\/haproxy\//, since: "worker" },
    { unit: "keepalived.service", runs: "always", reads: /^\/etc\/keepalived\//, since: "unit" },
    { unit: RELAY_UNIT, runs: "boot", reads: NOTHING, since: "unit", with: `${UNITS}/${RELAY_UNIT}` },
    FIREWALL_DAEMON,
  ],
  database: [
    { unit: "mariadb.service", runs: "always", reads: /^\/etc\/mysql\//, since: "main" },
    { unit: "galera-status.socket", runs: "always", reads: /\/galera-status\.socket$/, since: "unit" },
    { unit: "galera-boot.service", runs: "boot", reads: NOTHING, since: "unit" },
    FIREWALL_DAEMON,
  ],
  "app-server": [
    { unit: "app.service", runs: "always", reads: /\/(app\.service|app\.env)$/, since: "main" },
    {
      unit: RELEASE_SOCKET,
      runs: "always",
      reads: /\/app-release\.socket$/,
      since: "unit",
      with: `${UNITS}/${RELEASE_SOCKET}`,
    },
    FIREWALL_DAEMON,
  ],
};

/** The kernel gives files' times by its ticks, and processes' starts in hundredths of a second. */
const GRAIN_SECONDS = 0.1;

/** Daemons run, will after the next boot, and on the files that are on the disk. */
export function checkDaemons(machine: DeployedMachine, facts: MachineFacts): Finding[] {
  return DAEMONS[machine.role]
    .filter((daemon) => daemon.with === undefined || owns(machine, daemon.with))
    .flatMap((daemon) => checkDaemon(machine, facts, daemon));
}

function checkDaemon(machine: DeployedMachine, facts: MachineFacts, daemon: Daemon): Finding[] {
  const config = (finding: { expected: string; found: string }): Finding =>
    pushable("config", { check: "daemons", where: machine.name, what: daemon.unit, ...finding });
  const unit = facts.units.get(daemon.unit);
  if (!unit?.loaded) return [config({ expected: "installed", found: "not installed" })];
  const findings: Finding[] = [];
  if (unit.enabled !== "enabled") {
    findings.push(config({ expected: "enabled, so that it starts at boot", found: unit.enabled }));
  }
  if (unit.needsDaemonReload) {
    findings.push(config({ expected: "systemd runs the unit's file", found: "systemd has not read the changed file" }));
  }
  if (daemon.runs === "boot") return findings;
  if (unit.active !== "active") return [...findings, config({ expected: "active", found: unit.active })];

  const read = readAt(daemon, unit, facts);
  if (read === undefined) return [...findings, config({ expected: "answers", found: "active, and does not answer" })];
  for (const { path } of machine.files.filter((file) => daemon.reads.test(file.path))) {
    const file = facts.files.get(path);
    if (file?.state !== "present" || file.changed <= read + GRAIN_SECONDS) continue;
    findings.push(
      config({
        expected: `runs on ${path} of ${time(file.changed)}`,
        found: `has read its files at ${time(read)}, before that`,
      }),
    );
  }
  return findings;
}

function readAt(daemon: Daemon, unit: UnitFacts, facts: MachineFacts): number | undefined {
  switch (daemon.since) {
    case "main":
      return facts.started.get(unit.mainPid);
    case "worker":
      return facts.worker === undefined ? undefined : facts.started.get(facts.worker);
    case "unit":
      return unit.changed;
    default:
      return daemon.since satisfies never;
  }
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");
}
