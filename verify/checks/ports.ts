import { type Finding, LOST_DATABASE } from "../finding";
import type { DeployedMachine, DeployedPort } from "../gather/deployed";
import type { Port } from "../gather/neutron";

/** What a port that is gone has in its place, and what that costs: Nova's ports are chosen when a server is made. */
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
    machines.flatMap((machine) => {
      const gone = lostPorts(machine, ports);
      const urns = gone.flatMap(({ urn }) => urn ?? []);
      return gone.length > 0 && machine.server ? [...urns, machine.server.urn] : urns;
    }),
  );
}

/** Names of those that can't be reached as they have lost a port. */
export function cutOff(
  machines: readonly DeployedMachine[],
  ports: readonly Port[],
  unreached: readonly { name: string }[],
): string[] {
  const lost = machines.filter((machine) => lostPorts(machine, ports).length > 0).map(({ name }) => name);
  return lost.filter((name) => unreached.some((each) => each.name === name));
}

function lostPorts(machine: DeployedMachine, ports: readonly Port[]): DeployedPort[] {
  return machine.ports.filter((port) => !ports.some(({ id }) => id === port.id));
}

function lost(machine: DeployedMachine, port: DeployedPort, ports: readonly Port[]): Finding {
  const { name, role, server } = machine;
  const own = ports.filter(({ device_id, id }) => server && device_id === server.id && isStrange(machine, id));
  const same = own.filter(({ fixed_ips }) => fixed_ips.some((each) => port.addresses.includes(each.ip_address)));
  const other = same[0] ?? own[0];
  const finding: Finding = {
    ...{ check: "cloud", where: name, what: `port ${port.name}`, severity: "drift" },
    expected: `the one that was deployed (${port.id})`,
    found: other ? `another one is in its place (${other.id})` : "gone",
    mend: "",
  };
  const cost = `pulumi gives no server another port: it deletes ${name} and makes it anew`;
  if (role === "database") return { ...finding, mend: `${cost}, with its data: first ${LOST_DATABASE}` };
  return { ...finding, mend: `${cost}: npm run verify -- --repair --replace-servers`, repair: { kind: "refresh" } };
}

function forgotten({ name }: DeployedMachine, { id, name: port }: Port): Finding {
  return {
    ...{ check: "cloud", where: name, what: `port ${port}`, severity: "drift" },
    ...{ expected: `in Pulumi's state (${id})`, found: "only in the cloud" },
    mend: `an older state has it (pulumi stack import): without it pulumi up would make the port and ${name} anew`,
  };
}

function isStrange(machine: DeployedMachine, id: string): boolean {
  return !machine.ports.some((port) => port.id === id);
}

function checkPlace({ name }: DeployedMachine, server: string, { id, device_id, name: port }: Port): Finding[] {
  if (device_id === server) return [];
  return [
    {
      ...{ check: "cloud", where: name, what: `port ${port}`, severity: "drift" },
      ...{ expected: `at ${name} (${server})`, found: device_id === "" ? "at no server" : `at device ${device_id}` },
      mend: `openstack server add port ${name} ${id}${device_id === "" ? "" : ", once it is free"}`,
    },
  ];
}
