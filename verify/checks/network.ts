import { type Finding, pushable } from "../finding";
import type { DeployedMachine } from "../gather/deployed";
import type { MachineFacts } from "../gather/facts";

const ADDRESSES = "/etc/ha-cluster/addresses";
const LISTENERS = "/etc/ha-cluster/listeners";
const SYSCTL = "/etc/sysctl.d/50-ha-cluster.conf";
export const FIREWALL = "/etc/nftables.conf";

/** Of a host that somebody else built, firewall and kernel settings are theirs. */
export function owns(machine: DeployedMachine, path: string): boolean {
  return machine.files.some((file) => file.path === path);
}

/** The fields of each line of a file that was pushed. */
export function pushedLines(machine: DeployedMachine, path: string): string[][] {
  const text = machine.files.find((file) => file.path === path)?.text ?? "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" "));
}

/** Addresses, default routes and kernel settings in force, not only in files. */
export function checkNetwork(machine: DeployedMachine, facts: MachineFacts): Finding[] {
  const config = (what: string, expected: string, found: string): Finding =>
    pushable("config", { check: "network", where: machine.name, what, expected, found });
  const findings: Finding[] = [];
  for (const [device, address, gateway] of pushedLines(machine, ADDRESSES)) {
    if (!facts.addresses.has(`${device} ${address}`)) findings.push(config(address!, `on ${device}`, "missing"));
    if (gateway !== "-" && !facts.routes.has(`${device} ${gateway}`)) {
      findings.push(config("default route", `via ${gateway} on ${device}`, "missing"));
    }
  }
  if (machine.role !== "load-balancer") return findings;

  if (owns(machine, SYSCTL)) findings.push(...checkSysctls(facts, config));
  for (const line of facts.strayVips) {
    const [file = "", number = "", text = ""] = line.split(/:(\d+):/);
    const finding = config(file, "no VIP: they are keepalived's alone", `line ${number}: ${text.trim()}`);
    findings.push(byHand(finding, `remove the line from ${file} on ${machine.name}`));
  }
  return findings;
}

function checkSysctls(
  facts: MachineFacts,
  config: (what: string, expected: string, found: string) => Finding,
): Finding[] {
  const findings: Finding[] = [];
  const forward = facts.sysctls.get("net.ipv4.ip_forward");
  if (forward !== "1") findings.push(config("net.ipv4.ip_forward", "1", forward ?? "unknown"));
  for (const name of ["net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind"]) {
    const value = facts.sysctls.get(name);
    if (value === undefined || value === "0") continue;
    const finding = config(name, "0 (haproxy binds transparent)", value);
    const by = facts.sysctlFiles.find((line) => line.includes(name));
    findings.push(by === undefined ? finding : byHand(finding, `remove the line from ${by}, then sysctl -w ${name}=0`));
  }
  return findings;
}

/** A file that is not ours is never changed by a push. */
function byHand({ check, where, what, severity, expected, found }: Finding, mend: string): Finding {
  return { check, where, what, severity, expected, found, mend };
}

/** The loaded rules are those that the file makes. */
export function checkFirewall(machine: DeployedMachine, facts: MachineFacts): Finding[] {
  if (facts.firewall.length === 0 || !owns(machine, FIREWALL)) return [];
  const side = (sign: string): string[] =>
    facts.firewall.filter((line) => line.startsWith(sign)).map((line) => line.slice(1).trim());
  const [missing, added] = [side("<"), side(">")];
  return [
    pushable("config", {
      check: "firewall",
      where: machine.name,
      what: "nftables",
      expected: missing.length === 0 ? "only the rules of /etc/nftables.conf" : shortened(missing),
      found: added.length === 0 ? "not loaded" : shortened(added),
    }),
  ];
}

function shortened(lines: readonly string[]): string {
  const more = lines.length > 1 ? ` (and ${lines.length - 1} more lines)` : "";
  return `${lines[0]!}${more}`;
}

/** haproxy listens on exactly what the plan says, also where the VIP is not. */
export function checkListeners(machine: DeployedMachine, facts: MachineFacts): Finding[] {
  const expected = pushedLines(machine, LISTENERS).map(([address, port]) => endpoint(address!, port!));
  const findings: Finding[] = [];
  const finding = (what: string, wanted: string, found: string): Finding =>
    pushable("config", { check: "listeners", where: machine.name, what, expected: wanted, found });
  for (const place of expected) {
    const programs = facts.listeners.filter((each) => each.endpoint === place).map((each) => each.program);
    if (!programs.includes("haproxy")) {
      findings.push(finding(place, "haproxy listens", programs[0] === undefined ? "nobody" : `${programs[0]} listens`));
    }
  }
  for (const { endpoint: place, program } of facts.listeners) {
    if (program === "haproxy" && !expected.includes(place)) {
      findings.push(finding(place, "haproxy does not listen", "haproxy listens"));
    }
  }
  return unique(findings);
}

/** haproxy has one socket per thread on each place. */
function unique(findings: Finding[]): Finding[] {
  return [...new Map(findings.map((each) => [each.what, each])).values()];
}

function endpoint(address: string, port: string): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
