import type { Expected, Host } from "./expected";
import { endpoint } from "./expected";
import type { Heard, HostFacts } from "./facts";
import type { Packet } from "./packets";

/** `problem`: a push would fail, or break something; `warning`: worth knowing first. */
export interface Finding {
  level: "problem" | "warning";
  host: string;
  what: string;
  mend: string;
}

/** All that was seen on one host; absent facts mean that it could not be reached. */
export interface Look {
  host: Host;
  /** Why it could not be looked at. */
  unreachable?: string;
  facts?: HostFacts;
  heard?: Heard;
  /** Backends that did not answer it. */
  silent: string[];
}

const MINIMUM_MIB = 200;
const CLOCK_LIMIT_MS = 1000;

export function judge(expected: Expected, looks: readonly Look[], sent: readonly Packet[]): Finding[] {
  return [
    ...looks.flatMap((look) => [
      ...reached(look),
      ...(look.facts ? [...machine(look.host, look.facts), ...addresses(expected, look.host, look.facts)] : []),
      ...look.silent.map((backend) => ({
        level: "problem" as const,
        host: look.host.name,
        what: `the backend ${backend} does not answer it`,
        mend: "open the way between the two: routes, the firewalls of both, the cloud's security groups",
      })),
    ]),
    ...clocks(looks),
    ...foreignRouters(expected, looks),
    ...lost(looks, sent),
  ];
}

function reached({ host, unreachable }: Look): Finding[] {
  if (unreachable === undefined) return [];
  const mend = /sudo/.test(unreachable)
    ? "let the user run everything without a password: `USER ALL=(ALL) NOPASSWD: ALL` in /etc/sudoers.d"
    : "check address, port, user, key and hostKey in the stack file; ssh must log in without a question";
  return [{ level: "problem", host: host.name, what: `cannot be looked at: ${unreachable}`, mend }];
}

function machine(host: Host, facts: HostFacts): Finding[] {
  const found: Finding[] = [];
  const problem = (what: string, mend: string): void =>
    void found.push({ level: "problem", host: host.name, what, mend });
  const warning = (what: string, mend: string): void =>
    void found.push({ level: "warning", host: host.name, what, mend });

  if (host.release !== undefined && facts.release !== undefined && host.release !== facts.release)
    problem(`runs ${facts.release}, the stack file says ${host.release}`, `write release: ${facts.release}`);
  for (const daemon of ["keepalived", "haproxy"])
    if (facts.versions[daemon] === undefined)
      problem(`${daemon} is not installed`, `install ${daemon}: a push installs nothing on a host that exists`);
  for (const tool of facts.missing)
    if (tool === "openssl") warning("openssl is missing", "apt-get install openssl: without it a push can't check TLS");
    else problem(`${tool} is missing`, `install the package that has ${tool}`);
  for (const [place, mib] of Object.entries(facts.free))
    if (mib < MINIMUM_MIB)
      problem(`only ${mib} MiB are free on ${place}`, `free some space: at least ${MINIMUM_MIB} MiB`);
  for (const place of facts.readOnly)
    problem(`nothing can be written to ${place}`, "remount it, check disk and inodes");
  for (const name of facts.missingInterfaces)
    problem(
      `has no interface ${name}`,
      "name the host's own interfaces in ha-cluster:interfaces; `ip link` lists them",
    );
  if (facts.nonlocalBind)
    warning(
      "has net.ipv4.ip_nonlocal_bind set",
      "not needed: haproxy binds transparently; remove it when ha-cluster serves",
    );
  if (facts.unattended.length > 0)
    warning(
      `lets unattended-upgrades update ${facts.unattended.join(" and ")}`,
      `it restarts them, maybe on two hosts at once: list them in Unattended-Upgrade::Package-Blacklist, and update one host at a time`,
    );
  const mtus = new Set(Object.values(facts.mtu));
  if (mtus.size > 1)
    warning(
      `has interfaces of different MTU: ${Object.entries(facts.mtu)
        .map(([name, mtu]) => `${name} ${mtu}`)
        .join(", ")}`,
      "make them equal, or large answers hang where ICMP is filtered",
    );
  return found;
}

function addresses({ vips, binds }: Expected, host: Host, facts: HostFacts): Finding[] {
  const found: Finding[] = [];
  const problem = (what: string, mend: string): void =>
    void found.push({ level: "problem", host: host.name, what, mend });
  const on = (name: string, address: string): boolean =>
    (facts.addresses[name] ?? []).some((each) => each.split("/")[0] === address);
  const { external, internal } = host.interfaces;
  for (const [name, address] of [
    [external, host.external.ipv4],
    [internal, host.internal],
  ] as const)
    if (!facts.missingInterfaces.includes(name) && !on(name, address))
      problem(`does not have ${address} on ${name}`, "write the address and the interface that the host has");
  if (vips.ipv6.length > 0 && facts.ipv6Disabled)
    problem("has IPv6 switched off", "set net.ipv6.conf.all.disable_ipv6=0 in sysctl.d");
  if (host.external.ipv6 !== undefined && !on(external, host.external.ipv6) && !facts.sourcesInterfaces)
    problem(
      `does not have ${host.external.ipv6} yet, and /etc/network/interfaces reads no other file`,
      "add the line `source /etc/network/interfaces.d/*` to it, or configure the address by hand",
    );
  if (host.external.ipv6 !== undefined && !on(external, host.external.ipv6))
    found.push({
      level: "warning",
      host: host.name,
      what: `does not have ${host.external.ipv6} yet: nothing over IPv6 could be tried`,
      mend: "run preflight again after the push that brings the address, before the VIPs get IPv6 addresses",
    });
  for (const bind of binds)
    for (const { address, port, process } of facts.listeners)
      if (port === bind.port && process !== "haproxy" && covers(address, bind.address))
        problem(
          `${process} listens on ${endpoint({ address, port })}, where haproxy has to bind ${endpoint(bind)}`,
          `stop ${process}, or let it listen on the host's own address alone`,
        );
  return found;
}

/** Whether a socket on `address` takes the port of `other` too. */
function covers(address: string, other: string): boolean {
  if (address === "*" || address === "::") return true;
  return address === other || (address === "0.0.0.0" && !other.includes(":"));
}

/** The median of the hosts is the time; ours may be wrong. */
function clocks(looks: readonly Look[]): Finding[] {
  const known = looks.flatMap(({ host, facts }) => (facts ? [{ host, facts }] : []));
  const sorted = known.map(({ facts }) => facts.clockAhead).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) return [];
  return known
    .filter(({ facts }) => Math.abs(facts.clockAhead - median) - facts.clockError > CLOCK_LIMIT_MS)
    .map(({ host, facts }) => ({
      level: "problem",
      host: host.name,
      what: `its clock is ${((facts.clockAhead - median) / 1000).toFixed(1)} s away from the other hosts'`,
      mend: "install and start chrony or systemd-timesyncd: certificates, logs and Galera depend on it",
    }));
}

/** Somebody else's VRRP on the segment: the same VRID there means the same virtual MAC and adverts that look like ours. */
function foreignRouters({ hosts, routerIds }: Expected, looks: readonly Look[]): Finding[] {
  const ours = new Set(hosts.flatMap((host) => [host.external.ipv4, host.external.ipv6, host.internal]));
  const seen = new Map<string, Finding>();
  for (const { host, heard } of looks)
    for (const { interface: name, source, routerId } of heard?.adverts ?? [])
      if (!ours.has(source) && routerIds.includes(routerId) && !linkLocalOfOurs(source))
        seen.set(`${host.name} ${routerId} ${source}`, {
          level: "problem",
          host: host.name,
          what: `VRID ${routerId} is in use on ${name} by ${source}, which is none of the cluster's hosts`,
          mend: "choose other numbers in ha-cluster:vrrp.routerIds; they must be unique on the segment",
        });
  return [...seen.values()];
}

/** IPv6 adverts without a stated source come from link-local addresses, which name no host. */
function linkLocalOfOurs(source: string): boolean {
  return source.toLowerCase().startsWith("fe80:");
}

/** Packets that did not arrive; the ones from VIPs only where the same way works from the host's own address. */
function lost(looks: readonly Look[], sent: readonly Packet[]): Finding[] {
  const heard = new Map(looks.map((look) => [look.host.name, look.heard]));
  // A firewall may well let VRRP in from the hosts' own addresses alone: of a VIP, it is enough that the packet came.
  const arrived = ({ to, vip, word }: Packet): boolean =>
    heard.get(to.name)?.[vip ? "seen" : "passed"].has(word) ?? false;
  const listening = sent.filter(
    (packet) => heard.get(packet.to.name) !== undefined && heard.get(packet.from.name) !== undefined,
  );
  const own = listening.filter((packet) => !packet.vip && !arrived(packet));
  const broken = new Set(own.map((packet) => way(packet)));
  const byVip = new Map<string, Packet[]>();
  for (const packet of listening.filter((each) => each.vip && !arrived(each) && !broken.has(way(each)))) {
    const key = `${packet.from.name} ${packet.source}`;
    byVip.set(key, [...(byVip.get(key) ?? []), packet]);
  }
  return [
    ...own.map(({ from, to, source, target, path }) => ({
      level: "problem" as const,
      host: from.name,
      what: `VRRP does not reach ${to.name} on the ${path} network (${source} to ${target}): both would become master`,
      mend: `let IP protocol 112 pass from ${source}: in ${to.name}'s firewall, the cloud's security groups, the network between`,
    })),
    ...[...byVip.values()].map(([packet]) => ({
      level: "problem" as const,
      host: packet!.from.name,
      what: `must not send from ${packet!.source} (${packet!.path}): the VIP would be dead on it`,
      mend: `add ${packet!.source}, or its range, to the allowed address pairs of the host's port (the hypervisor's ACL)`,
    })),
  ];
}

function way({ from, to, path }: Packet): string {
  return `${from.name} ${to.name} ${path}`;
}
