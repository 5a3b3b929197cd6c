import type { Finding } from "../finding";
import type { DeployedMachine } from "../gather/deployed";
import type { MachineFacts, SpaceFacts } from "../gather/facts";
import type { Look } from "./vrrp";

/** A full disk keeps a push, a database and a journal from being written: drift below this share, a warning below twice. */
export const FREE_SPACE = 0.05;

/** Logs can be compared and certificates judged within a second. */
export const CLOCK_SECONDS = 1;

export function checkDisk(machine: DeployedMachine, facts: MachineFacts): Finding[] {
  const find = (kind: string, { mount, total, free }: SpaceFacts): Finding[] => {
    const share = total === 0 ? 1 : free / total;
    if (share >= 2 * FREE_SPACE) return [];
    return [
      {
        check: "disk",
        where: machine.name,
        what: `${mount} (${kind})`,
        severity: share < FREE_SPACE ? "drift" : "warning",
        expected: `at least ${FREE_SPACE * 100} % free`,
        found: `${(share * 100).toFixed(1)} % free`,
        mend: `make room on ${machine.name}: du -xh --max-depth=2 ${mount} | sort -h | tail; journalctl --vacuum-size=200M`,
      },
    ];
  };
  return [...facts.disk.flatMap((each) => find("space", each)), ...facts.inodes.flatMap((each) => find("files", each))];
}

/**
 * Only what is certain counts: the machine looked at its clock at some time between question and answer, so a
 * difference shows as far as it is larger than that.
 */
export function checkClock(machine: DeployedMachine, facts: MachineFacts): Finding[] {
  const { clock, asked, sync } = facts;
  const findings: Finding[] = [];
  const ahead = clock.now - asked.after;
  const behind = asked.before - clock.now;
  const about = { check: "clock", where: machine.name, what: "clock" } as const;
  if (Math.max(ahead, behind) > CLOCK_SECONDS) {
    const apart = `${Math.max(ahead, behind).toFixed(1)} s ${ahead > 0 ? "ahead of" : "behind"} this machine's`;
    findings.push({
      ...about,
      severity: "drift",
      expected: `within ${CLOCK_SECONDS} s of this machine's`,
      found: `at least ${apart}`,
      mend: "timedatectl; systemctl restart systemd-timesyncd (or chrony) on whichever is wrong",
    });
  }
  // A container's clock is its host's.
  if (!sync.container && !sync.synchronized) {
    findings.push({
      ...about,
      severity: "warning",
      expected: "kept by NTP",
      found: "not synchronized",
      mend: `apt-get install systemd-timesyncd on ${machine.name}, and let it reach a time server`,
    });
  }
  return findings;
}

/** Units that systemd gave up. Those of daemons that are pushed have findings of their own. */
export function checkUnits(machine: DeployedMachine, facts: MachineFacts): Finding[] {
  return facts.failedUnits
    .filter((unit) => !facts.units.has(unit))
    .map((unit) => ({
      check: "units",
      where: machine.name,
      what: unit,
      severity: "warning",
      expected: "not failed",
      found: "failed",
      mend: `journalctl -u ${unit} on ${machine.name}; mend it, or systemctl reset-failed ${unit}`,
    }));
}

const COMPARED: Record<DeployedMachine["role"], string[]> = {
  "load-balancer": ["keepalived", "haproxy", "nftables"],
  database: ["mariadb-server", "galera-4"],
  "app-server": [],
};

/** The same packages on machines that stand in for each other. */
export function checkVersions(looks: readonly Look[]): Finding[] {
  return (Object.keys(COMPARED) as DeployedMachine["role"][]).flatMap((role) => {
    const same = looks.filter(({ machine }) => machine.role === role);
    return COMPARED[role].flatMap((name) => {
      const versions = same.map(({ machine, facts }) => ({
        where: machine.name,
        version: facts.packages.get(name) ?? "not installed",
      }));
      const usual = mostFrequent(versions.map(({ version }) => version));
      return versions
        .filter(({ version }) => version !== usual)
        .map(({ where, version }): Finding => ({
          check: "versions",
          where,
          what: name,
          severity: "drift",
          expected: `${usual}, as on the others`,
          found: version,
          mend: `apt-get update; apt-get install ${name}=${usual} on ${where}, one machine at a time`,
        }));
    });
  });
}

function mostFrequent(values: readonly string[]): string {
  const count = (value: string): number => values.filter((each) => each === value).length;
  return [...values].sort((a, b) => count(b) - count(a) || (a < b ? -1 : 1))[0] ?? "";
}
