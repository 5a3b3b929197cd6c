import { type Finding, REPAIR } from "../finding";
import type { DeployedMachine, DeployedPort } from "../gather/deployed";
import { type Step } from "../gather/engine";
import type { Port } from "../gather/neutron";
import { machineOf, PORT, typeOf } from "../gather/state";

/** What a port that is gone has in its place, and whether its server can have it back. */
export function checkPorts(machines: readonly DeployedMachine[], ports: readonly Port[]): Finding[] {
  return machines.flatMap((machine) =>
    machine.ports.flatMap((port) => {
      const there = ports.find(({ id }) => id === port.id);
      if (!there) return [lost(machine, port, ports)];
      if (port.urn === undefined) return [forgotten(machine, there)];
      return machine.server === undefined ? [] : checkPlace(machine, machine.server.id, there);
    }),
  );
}

/** What Pulumi's own look at the cloud says of such ports and their servers, which is the same once more. */
export function saidOfPorts(machines: readonly DeployedMachine[], ports: readonly Port[]): Set<string> {
  return new Set(
    machines
      .filter((machine) => isCutOff(machine, ports) || machine.ports.some((port) => isLost(port, ports)))
      .flatMap(({ server, ports: own }) => [
        ...own.filter((port) => isLost(port, ports)).flatMap(({ urn }) => urn ?? []),
        ...(server ? [server.urn] : []),
      ]),
  );
}

/** Of what the next `pulumi up` would do, the ports that it would make: a refresh has forgotten them, and there is a finding of each. */
export function isForgotten({ op, urn }: Step, machines: readonly DeployedMachine[], ports: readonly Port[]): boolean {
  const type = typeOf(urn);
  if (op !== "create" || type !== PORT) return false;
  const machine = machines.find(({ id }) => id === machineOf({ urn, type }));
  return machine?.ports.some((port) => port.urn === undefined && isLost(port, ports)) === true;
}

/** Names of those to which a port is missing: whatever else is wrong with them may come of that. */
export function cutOff(machines: readonly DeployedMachine[], ports: readonly Port[]): string[] {
  return machines.filter((machine) => isCutOff(machine, ports)).map(({ name }) => name);
}

function isCutOff(machine: DeployedMachine, ports: readonly Port[]): boolean {
  const { server } = machine;
  return machine.ports.some((port) => {
    const there = ports.find(({ id }) => id === port.id) ?? inItsPlace(machine, port, ports);
    return there === undefined || (server !== undefined && there.device_id !== server.id);
  });
}

function isLost({ id }: DeployedPort, ports: readonly Port[]): boolean {
  return !ports.some((each) => each.id === id);
}

function lost(machine: DeployedMachine, port: DeployedPort, ports: readonly Port[]): Finding {
  const { name, server, commands } = machine;
  const other = inItsPlace(machine, port, ports);
  const found = other ? `another one is in its place (${other.id})` : "gone";
  const finding = about(name, port.name, port.id === "" ? "there" : `the one that was deployed (${port.id})`, found);
  if (other) {
    const off = server && other.device_id === server.id ? `openstack server remove port ${name} ${other.id}; ` : "";
    const cuts = off === "" ? "" : " (it is cut off until then)";
    return {
      ...finding,
      mend: `${off}openstack port delete ${other.id}; ${REPAIR} brings back the one that was${cuts}`,
    };
  }
  // One that was never pushed to has nothing to keep, and one that is gone gets its ports when it is made.
  if (server === undefined || commands.config === undefined)
    return { ...finding, mend: "pulumi up --refresh", repair: { kind: "refresh" } };
  return { ...finding, mend: `${REPAIR}: ${back(name)}`, repair: { kind: "attach", anew: true } };
}

/** One that keeps its address from being had again, or that the server has instead. */
function inItsPlace(
  { server, ports: own }: DeployedMachine,
  port: DeployedPort,
  ports: readonly Port[],
): Port | undefined {
  const strange = ports.filter(({ id }) => !own.some((each) => each.id === id));
  return (
    strange.find(
      ({ network_id, fixed_ips }) =>
        network_id === port.network && fixed_ips.some((each) => port.addresses.includes(each.ip_address)),
    ) ??
    strange.find(
      ({ device_id, network_id }) =>
        device_id === server?.id && (port.network === undefined || network_id === port.network),
    )
  );
}

function about(where: string, port: string, expected: string, found: string): Omit<Finding, "mend" | "repair"> {
  return { check: "cloud", where, what: `port ${port}`, severity: "drift", expected, found };
}

function back(name: string): string {
  return `${name} gets it back, and is stopped and started for that; its disk stays`;
}

function forgotten({ name }: DeployedMachine, { id, name: port }: Port): Finding {
  return {
    ...about(name, port, `in Pulumi's state (${id})`, "only in the cloud"),
    mend: `an older state has it (pulumi stack import): without it pulumi up would make another port for ${name}, whose address it has`,
  };
}

function checkPlace(
  { name, commands }: DeployedMachine,
  server: string,
  { id, device_id, name: port }: Port,
): Finding[] {
  if (device_id === server) return [];
  const finding = about(
    name,
    port,
    `at ${name} (${server})`,
    device_id === "" ? "at no server" : `at device ${device_id}`,
  );
  if (device_id !== "" || commands.config === undefined)
    return [
      { ...finding, mend: `openstack server add port ${name} ${id}${device_id === "" ? "" : ", once it is free"}` },
    ];
  return [{ ...finding, mend: `${REPAIR}: ${back(name)}`, repair: { kind: "attach", anew: false } }];
}
