import type { Fleet } from "../operate/fleet";
import type { Stack } from "../operate/stack";
import { checkCertificates } from "./checks/certificates";
import { checkAhead, checkDrift, checkRules } from "./checks/cloud";
import { checkDaemons } from "./checks/daemons";
import { checkFiles } from "./checks/files";
import { checkFirewall, checkListeners, checkNetwork } from "./checks/network";
import { certificateOf, checkAnswers } from "./checks/outside";
import { checkBackends, checkGalera } from "./checks/services";
import { checkClock, checkDisk, checkUnits, checkVersions } from "./checks/system";
import { checkVrrp, type Look } from "./checks/vrrp";
import { CHECKS, type Check, type Finding } from "./finding";
import { type Deployed, readDeployed } from "./gather/deployed";
import { readAhead, readDrift, type Step } from "./gather/engine";
import { lookAt } from "./gather/machine";
import { cloudAccess, Neutron, type Rule } from "./gather/neutron";
import { type Answer, ask } from "./gather/outside";

/** Everything that was seen; what could not be is an error in its place. */
export interface Seen {
  looks: Look[];
  unreached: { name: string; reason: string }[];
  answers: Answer[];
  drift: Step[] | Error;
  /** Absent where no OpenStack provider was deployed. */
  rules?: Rule[] | Error;
  ahead: Step[] | Error;
}

export interface Verdict {
  deployed: Deployed;
  findings: Finding[];
}

/** Looks at everything at once, and judges. */
export async function verify(stack: Stack, fleet: Fleet): Promise<Verdict> {
  const deployed = await readDeployed(stack);
  return { deployed, findings: judge(deployed, await gather(stack, fleet, deployed), new Date()) };
}

async function gather(stack: Stack, fleet: Fleet, deployed: Deployed): Promise<Seen> {
  const hasCloud = deployed.cloud.groups.size > 0;
  const [seen, answers, drift, rules, ahead] = await Promise.all([
    Promise.all(deployed.machines.map(async (machine) => ({ machine, facts: await lookAt(fleet, machine) }))),
    Promise.all(deployed.urls.map((url) => ask(url, serverName(url, deployed)))),
    settled(readDrift(stack)),
    hasCloud ? settled(readRules(stack, deployed)) : undefined,
    settled(readAhead(stack)),
  ]);
  return {
    looks: seen.flatMap(({ machine, facts }) => (typeof facts === "string" ? [] : [{ machine, facts }])),
    unreached: seen.flatMap(({ machine, facts }) =>
      typeof facts === "string" ? [{ name: machine.name, reason: facts }] : [],
    ),
    answers,
    drift,
    ...(rules === undefined ? {} : { rules }),
    ahead,
  };
}

function settled<T>(promise: Promise<T>): Promise<T | Error> {
  return promise.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
}

export function openNeutron(stack: Stack, { cloud }: Deployed): Promise<Neutron> {
  return Neutron.open(cloudAccess(cloud.provider, { ...process.env, ...stack.options.environment }));
}

async function readRules(stack: Stack, deployed: Deployed): Promise<Rule[]> {
  return (await openNeutron(stack, deployed)).rules(deployed.cloud.groups.keys());
}

/** A name that the certificate is for, so that haproxy serves it. */
function serverName(url: string, { machines }: Deployed): string | undefined {
  const names = certificateOf(url, machines)?.subjectAltName ?? "";
  return /DNS:([^,\s*]+)/.exec(names)?.[1];
}

/** All findings, in the order of the checks, then by place. Pure. */
export function judge(deployed: Deployed, seen: Seen, now: Date): Finding[] {
  const { looks } = seen;
  const balancers = looks.filter(({ machine }) => machine.role === "load-balancer");
  const complete = !deployed.machines.some(
    ({ name, role }) => role === "load-balancer" && seen.unreached.some((each) => each.name === name),
  );
  const findings = [
    ...seen.unreached.map(unreached),
    ...looks.flatMap(({ machine, facts }) => [
      ...checkFiles(machine, facts),
      ...checkDaemons(machine, facts),
      ...checkFirewall(machine, facts),
      ...checkNetwork(machine, facts),
      ...checkClock(machine, facts),
      ...checkDisk(machine, facts),
      ...checkUnits(machine, facts),
    ]),
    ...balancers.flatMap(({ machine, facts }) => [...checkListeners(machine, facts), ...checkBackends(machine, facts)]),
    ...checkVrrp(looks, complete),
    ...checkGalera(looks),
    ...checkVersions(looks),
    ...checkCertificates(deployed.machines, now),
    ...checkAnswers(seen.answers, deployed.machines),
    ...orUnseen("cloud", "cloud", "resources", seen.drift, checkDrift),
    ...orUnseen("cloud", "cloud", "rules made by hand", seen.rules ?? [], (rules) => checkRules(rules, deployed.cloud)),
    ...orUnseen("stack", "stack", "stack file and program", seen.ahead, checkAhead),
  ];
  const rank = (check: Check): number => CHECKS.indexOf(check);
  return findings.sort((a, b) => rank(a.check) - rank(b.check) || order(a.where, b.where) || order(a.what, b.what));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function unreached({ name, reason }: Seen["unreached"][number]): Finding {
  return {
    check: "reachability",
    where: name,
    what: "SSH",
    severity: "drift",
    expected: "reached, by the deployed host key",
    found: reason,
    mend: "is it on (openstack server list)? docs/recover.md: a machine is lost, host key mismatch",
  };
}

function orUnseen<T>(
  check: Check,
  where: string,
  what: string,
  seen: T | Error,
  judgeSeen: (seen: T) => Finding[],
): Finding[] {
  if (!(seen instanceof Error)) return judgeSeen(seen);
  const expected = "looked at";
  return [
    { check, where, what, severity: "unknown", expected, found: seen.message, mend: "mend that, then verify again" },
  ];
}
