import { Fleet } from "../operate/fleet";
import { interruption } from "../operate/interruption";
import type { Stack } from "../operate/stack";
import { toRecover } from "../recover/look";
import { checkCertificates } from "./checks/certificates";
import { checkAhead, checkDrift, checkProbes, checkRules, checkState } from "./checks/cloud";
import { checkDaemons } from "./checks/daemons";
import { checkFiles, checkFinished } from "./checks/files";
import { type Broken, checkMachine } from "./checks/machines";
import { checkFirewall, checkListeners, checkNetwork } from "./checks/network";
import { certificateOf, checkAnswers } from "./checks/outside";
import { checkPorts, cutOff, isForgotten, saidOfPorts } from "./checks/ports";
import { checkBackends, checkGalera } from "./checks/services";
import { checkClock, checkDisk, checkUnits, checkVersions } from "./checks/system";
import { checkVrrp, type Look } from "./checks/vrrp";
import { copiesOf, doubt } from "./data";
import { CHECKS, type Check, type Finding, LOST_DATABASES, STATE } from "./finding";
import { CloudSession, cloudAccess } from "./gather/cloud";
import { type Deployed, readDeployed } from "./gather/deployed";
import { readAhead, readDrift, type Step } from "./gather/engine";
import { exported } from "./gather/state";
import { lookAtAll, type Unreached } from "./gather/machine";
import { Neutron, type Port, type Rule } from "./gather/neutron";
import { Nova, type Server } from "./gather/nova";
import { type Answer, ask } from "./gather/outside";

/** Everything that was seen; what could not be is an error in its place. */
export interface Seen {
  looks: Look[];
  unreached: Unreached[];
  answers: Answer[];
  drift: Step[] | Error;
  /** Absent where no OpenStack provider was deployed, as the next two are. */
  rules?: Rule[] | Error;
  servers?: Server[] | Error;
  ports?: Port[] | Error;
  /** What the cloud has under another id than the state, or what the state was about to get; see recover/. */
  unknown?: string[] | Error;
  ahead: Step[] | Error;
}

export interface Verdict {
  deployed: Deployed;
  seen: Seen;
  findings: Finding[];
}

/** Looks at everything at once, and judges. */
export async function verify(stack: Stack): Promise<Verdict> {
  const deployed = await readDeployed(stack);
  if (deployed.machines.length === 0) {
    throw new Error(`stack ${stack.options.name} has no machines yet: pulumi up builds its cluster`);
  }
  const fleet = fleetOf(deployed);
  try {
    const seen = await gather(stack, fleet, deployed);
    // What was cut by a signal has been seen as lost.
    interruption.throwIfAborted();
    return { deployed, seen, findings: judge(deployed, seen, new Date()) };
  } finally {
    await fleet.close();
  }
}

/** By the ways that the state knows. */
export function fleetOf({ reach, urls = [] }: Deployed, options?: { ownSession: boolean }): Fleet {
  return Fleet.of({ ...reach, urls, vips: {}, servers: {}, listeners: {} }, options);
}

async function gather(stack: Stack, fleet: Fleet, deployed: Deployed): Promise<Seen> {
  const { machines, urls = [], cloud } = deployed;
  const pushed = machines.filter(({ commands }) => Object.keys(commands).length > 0);
  const [seen, answers, drift, asked, ahead] = await Promise.all([
    lookAtAll(fleet, pushed),
    Promise.all(urls.map((url) => ask(url, serverName(url, deployed)))),
    settled(readDrift(stack)),
    cloud.used ? askCloud(stack, deployed) : {},
    settled(readAhead(stack)),
  ]);
  return { ...seen, answers, drift, ...asked, ahead };
}

async function askCloud(
  stack: Stack,
  deployed: Deployed,
): Promise<Pick<Seen, "rules" | "servers" | "ports" | "unknown">> {
  const session = await settled(openCloud(stack, deployed));
  if (session instanceof Error) return { rules: session, servers: session, ports: session, unknown: session };
  const { machines, cloud } = deployed;
  const neutron = new Neutron(session);
  const [rules, servers, ports, unknown] = await Promise.all([
    settled(neutron.rules(cloud.groups.keys())),
    settled(new Nova(session).servers()),
    settled(
      neutron.ports(
        machines.flatMap((machine) => machine.ports.flatMap(({ id }) => (id === "" ? [] : id))),
        machines.flatMap(({ server }) => server?.id ?? []),
        machines.flatMap((machine) => machine.ports.flatMap(({ addresses }) => addresses)),
      ),
    ),
    settled(exported(stack).then((text) => toRecover(session, text))),
  ]);
  return { rules, servers, ports, unknown };
}

function settled<T>(promise: Promise<T>): Promise<T | Error> {
  return promise.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
}

export function openCloud(stack: Stack, { cloud }: Deployed): Promise<CloudSession> {
  return CloudSession.open(cloudAccess(cloud.provider, { ...process.env, ...stack.options.environment }));
}

/** A name that the certificate is for, so that haproxy serves it. */
function serverName(url: string, { machines }: Deployed): string | undefined {
  const names = certificateOf(url, machines)?.subjectAltName ?? "";
  return /DNS:([^,\s*]+)/.exec(names)?.[1];
}

/** All findings, in the order of the checks, then by place. Pure. */
export function judge(deployed: Deployed, seen: Seen, now: Date): Finding[] {
  const { machines } = deployed;
  const broken = brokenMachines(deployed, seen);
  const whole = new Set([...broken].filter(([, each]) => each.whole).map(([name]) => name));
  const ports = listed(seen.ports);
  const cut = new Set(ports ? cutOff(machines, ports) : []);
  const looks = seen.looks.filter(({ machine }) => !whole.has(machine.name) && !cut.has(machine.name));
  const missed = seen.unreached.filter(({ name }) => !whole.has(name) && !cut.has(name));
  // Of one that never got its configuration, only what it did get can be judged.
  const finished = looks.filter(({ machine }) => machine.commands.config !== undefined);
  const balancers = finished.filter(({ machine }) => machine.role === "load-balancer");
  const complete = !machines.some(
    ({ name, role }) => role === "load-balancer" && (cut.has(name) || missed.some((each) => each.name === name)),
  );
  const copies = copiesOf(deployed, looks);
  const said = new Set([
    ...(ports ? saidOfPorts(machines, ports) : []),
    ...machines.flatMap(({ name, server }) => (broken.get(name)?.finding.what === "server" ? (server?.urn ?? []) : [])),
  ]);
  const findings = [
    ...[...broken.values()].map(({ finding }) => finding),
    ...missed.map(unreached),
    ...machines.filter(({ name }) => !whole.has(name)).flatMap(checkFinished),
    ...looks.flatMap(({ machine, facts }) => checkFiles(machine, facts)),
    ...finished.flatMap(({ machine, facts }) => [
      ...checkDaemons(machine, facts),
      ...checkFirewall(machine, facts),
      ...checkNetwork(machine, facts),
      ...checkClock(machine, facts),
      ...checkDisk(machine, facts),
      ...checkUnits(machine, facts),
    ]),
    ...balancers.flatMap(({ machine, facts }) => [
      ...checkListeners(machine, facts),
      ...checkBackends(machine, facts, new Set([...whole, ...cut])),
    ]),
    ...checkVrrp(finished, complete),
    ...checkGalera(finished, absentDatabases(deployed, seen)),
    ...checkVersions(finished),
    ...checkCertificates(machines, now),
    ...checkAnswers(seen.answers, machines),
    ...(deployed.urls === undefined ? [unknownUrls()] : []),
    ...orUnseen("cloud", "cloud", "resources", seen.drift, (steps) => checkDrift(steps, said)),
    ...unseenOfCloud(seen),
    ...checkRules(listed(seen.rules) ?? [], deployed.cloud),
    ...checkProbes(listed(seen.servers) ?? [], new Set(machines.map(({ name }) => name))),
    ...(ports ? checkPorts(machines, ports) : []),
    ...checkState(listed(seen.unknown) ?? []),
    ...orUnseen("stack", "stack", "stack file and program", seen.ahead, (steps) =>
      checkAhead(ports ? steps.filter((step) => !isForgotten(step, machines, ports)) : steps),
    ),
  ];
  const rank = (check: Check): number => CHECKS.indexOf(check);
  return stateFirst(leaveData(findings, deployed, doubt(copies))).sort(
    (a, b) => rank(a.check) - rank(b.check) || order(a.where, b.where) || order(a.what, b.what),
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function listed<T>(seen: T[] | Error | undefined): T[] | undefined {
  return seen instanceof Error ? undefined : seen;
}

function brokenMachines({ machines }: Deployed, seen: Seen): Map<string, Broken> {
  return new Map(
    machines.flatMap((machine) => {
      const server = listed(seen.servers)?.find(({ id }) => id === machine.server?.id);
      const facts = seen.looks.find((look) => look.machine.name === machine.name)?.facts;
      const broken = checkMachine(machine, server, facts);
      return broken ? [[machine.name, broken] as const] : [];
    }),
  );
}

/** Databases that the others must do without, for a reason of their own. */
function absentDatabases(deployed: Deployed, { looks, unreached: missed }: Seen): number {
  const synced = copiesOf(deployed, looks).filter((copy) => copy.synced);
  const unseen = missed.filter(({ jump }) => jump !== undefined).map(({ name }) => name);
  return deployed.machines.filter(
    ({ name, role }) => role === "database" && !synced.some((copy) => copy.name === name) && !unseen.includes(name),
  ).length;
}

/** What else differs does so from a state that is not true. */
function stateFirst(findings: Finding[]): Finding[] {
  const state = findings.find(({ what }) => what === STATE);
  if (!state) return findings;
  return findings.map((each) => (each === state ? each : { ...each, mend: `first ${state.mend}; then ${each.mend}` }));
}

/** No push goes to a database while it might choose whose data goes on. */
function leaveData(findings: Finding[], { machines }: Deployed, why: string | undefined): Finding[] {
  if (why === undefined) return findings;
  const databases = new Set(machines.filter(({ role }) => role === "database").map(({ name }) => name));
  return findings.map((finding) => {
    const { repair, ...rest } = finding;
    if (!databases.has(finding.where) || repair === undefined) return finding;
    return { ...rest, mend: `${why}: ${LOST_DATABASES}` };
  });
}

function unreached({ name, reason, jump }: Unreached): Finding {
  const about = {
    check: "reachability",
    where: name,
    what: "SSH",
    expected: "reached, by the deployed host key",
  } as const;
  if (jump !== undefined) {
    const found = `can't be asked: its jump host ${jump} is away, and so is every other load balancer`;
    return { ...about, severity: "unknown", found, mend: `mend ${jump} first` };
  }
  return {
    ...about,
    severity: "drift",
    found: reason,
    mend: "is it on (openstack server list)? docs/recover.md: a machine is lost, host key mismatch",
  };
}

function unknownUrls(): Finding {
  return {
    ...{ check: "outside", where: "stack", what: "URLs", severity: "unknown", expected: "among the stack's outputs" },
    ...{ found: "none: the first pulumi up was killed before it wrote them", mend: "pulumi up" },
  };
}

/** Once for all that could not be asked for the same reason. */
function unseenOfCloud({ rules, servers, ports, unknown }: Seen): Finding[] {
  const asked = Object.entries({ "rules made by hand": rules, servers, ports, state: unknown });
  const errors = asked.flatMap(([what, seen]) => (seen instanceof Error ? [{ what, message: seen.message }] : []));
  return [...new Set(errors.map(({ message }) => message))].flatMap((message) => {
    const what = errors.filter((each) => each.message === message).map((each) => each.what);
    return orUnseen("cloud", "cloud", what.join(", "), new Error(message), () => []);
  });
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
