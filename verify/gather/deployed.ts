import type { Outputs } from "../../operate/fleet";
import type { Stack } from "../../operate/stack";
import type { Role } from "../../plan/servers";
import type { Part } from "../finding";
import { filesOfBundle, filesOfScripts, type PushedFile } from "./pushed";
import { type Connection, type Reach, reach } from "./reach";
import { clear, COMMAND, INSTANCE, machineOf, nameOf, PORT, readState, type Resource, roleOf } from "./state";

export interface DeployedPort {
  /** Neutron's. Empty where nobody remembers it. */
  id: string;
  /** As Neutron has it. */
  name: string;
  addresses: string[];
  /** Neutron's id. Absent where the state has forgotten the port. */
  network?: string;
  /** Absent where only its server knows of it. */
  urn?: string;
}

export interface DeployedMachine {
  /** Its identity in Pulumi's state. */
  id: string;
  /** Its host name. */
  name: string;
  role: Role;
  files: PushedFile[];
  /** URN of the Command that pushes each part; one that is missing was never finished on this very server. */
  commands: Partial<Record<Part, string>>;
  /** Whether it is for Pulumi to make its server; otherwise somebody else built it. */
  ours: boolean;
  /** Absent where there is none in the state. */
  server?: { id: string; urn: string };
  /** In the order of its interfaces. */
  ports: DeployedPort[];
}

/** What the last deployments made, as Pulumi's state has it. */
export interface Deployed {
  machines: DeployedMachine[];
  /** Of the last plan. Absent where the first `up` did not come so far. */
  urls?: string[];
  reach: Reach;
  cloud: {
    /** Whether there is a cloud behind it at all. */
    used: boolean;
    /** What the program told the OpenStack provider, e.g. `cloud`. */
    provider: Record<string, unknown>;
    /** Names of security groups by id. */
    groups: Map<string, string>;
    rules: Set<string>;
  };
}

export async function readDeployed(stack: Stack): Promise<Deployed> {
  return deployed(await readState(stack));
}

/** What the state has of one machine. */
interface Pieces {
  role?: Role;
  instance?: Resource;
  ports: Resource[];
  commands: Map<string, Resource>;
}

/**
 * The resources say what there is. The outputs don't: an `up` that fails writes those of its plan as if it were done, so
 * they may name servers that were never made, and none of one that still is there.
 *
 * @param resources of a deployment, with secrets in the clear.
 */
export function deployed(resources: readonly Resource[]): Deployed {
  const live = resources.filter((each) => each.delete !== true);
  const of = (type: string): Resource[] => live.filter((each) => each.type === type);
  const outputs = clear(of("pulumi:pulumi:Stack")[0]?.outputs ?? {}) as Partial<Outputs>;
  const used = live.some(({ type }) => type.startsWith("openstack:"));
  const planned = new Map(Object.entries(outputs.servers ?? {}).map(([name, { id, role }]) => [id, { name, role }]));
  const pieces = piecesOf(live);
  for (const id of planned.keys()) if (!pieces.has(id)) pieces.set(id, { ports: [], commands: new Map() });

  const machines: DeployedMachine[] = [];
  const connections = new Map<string, Connection>();
  for (const [id, piece] of pieces) {
    const plan = planned.get(id);
    const role = piece.role ?? (plan?.role as Role | undefined);
    if (role === undefined) continue;
    const machine = machineFrom(id, plan?.name, role, used, piece);
    machines.push(machine);
    const connection = connectionOf(piece);
    if (connection) connections.set(machine.name, connection);
  }
  const groups = of("openstack:networking/secGroup:SecGroup");
  return {
    machines: machines.sort((a, b) => (a.name < b.name ? -1 : 1)),
    ...(outputs.urls === undefined ? {} : { urls: outputs.urls }),
    reach: reach(connections),
    cloud: {
      used,
      provider: of("pulumi:providers:openstack")[0]?.inputs ?? {},
      groups: new Map(groups.flatMap(({ id, outputs: its }) => (id === undefined ? [] : [[id, String(its?.name)]]))),
      rules: new Set(of("openstack:networking/secGroupRule:SecGroupRule").flatMap(({ id }) => id ?? [])),
    },
  };
}

function piecesOf(live: readonly Resource[]): Map<string, Pieces> {
  const machines = new Map<string, Pieces>();
  for (const each of live) {
    if (![INSTANCE, PORT, COMMAND].includes(each.type)) continue;
    const id = machineOf(each);
    const pieces = machines.get(id) ?? { ports: [], commands: new Map<string, Resource>() };
    machines.set(id, pieces);
    pieces.role ??= roleOf(each.urn);
    if (each.type === INSTANCE) pieces.instance = each;
    if (each.type === PORT) pieces.ports.push(each);
    if (each.type === COMMAND) pieces.commands.set(nameOf(each.urn).slice(id.length + 1), each);
  }
  return machines;
}

function machineFrom(id: string, plannedName: string | undefined, role: Role, ours: boolean, pieces: Pieces) {
  const { instance } = pieces;
  const part = (which: Part): Resource | undefined => {
    const command = pieces.commands.get(which);
    return command && pushedTo(command, instance) ? command : undefined;
  };
  const commands = (["scripts", "secrets", "config"] as const).flatMap((which) => {
    const urn = part(which)?.urn;
    return urn === undefined ? [] : [[which, urn] as const];
  });
  const name = hostname(id, pieces) ?? plannedName ?? id;
  const machine: DeployedMachine = {
    id,
    name,
    role,
    files: [
      ...filesOfScripts(stdin(part("scripts"))),
      ...filesOfBundle(stdin(part("secrets")), "secrets"),
      ...filesOfBundle(stdin(part("config")), "config"),
    ],
    commands: Object.fromEntries(commands),
    ours,
    ...(instance?.id === undefined ? {} : { server: { id: instance.id, urn: instance.urn } }),
    ports: portsOf(id, role, name, pieces),
  };
  return machine;
}

/** When a server is made anew and the push to it fails, the old one's Commands are still in the state. */
function pushedTo(command: Resource, instance: Resource | undefined): boolean {
  const [server] = (clear(command.inputs?.triggers) ?? []) as unknown[];
  return server === undefined || instance?.id === undefined || server === instance.id;
}

/** As the cloud has it; a plan that was not carried out may say other. */
function hostname(id: string, { instance, ports }: Pieces): string | undefined {
  const name = text(instance?.outputs?.name) ?? text(instance?.inputs?.name);
  if (name !== undefined) return name;
  for (const { urn, outputs } of ports) {
    const port = text(outputs?.name) ?? "";
    const suffix = nameOf(urn).slice(id.length);
    if (suffix !== "" && port.endsWith(suffix)) return port.slice(0, -suffix.length);
  }
  return undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/**
 * Those of the state. `pulumi refresh` forgets one that is gone; then its server may still know with which it was made, unless
 * that was refreshed too.
 */
function portsOf(id: string, role: Role, hostname: string, { instance, ports }: Pieces): DeployedPort[] {
  const madeWith = (instance?.inputs?.networks ?? []) as { port?: string }[];
  const forgotten = madeWith.flatMap(({ port }) => (ports.some((each) => each.id === port) ? [] : (port ?? [])));
  const names = role === "load-balancer" ? ["external", "internal"] : ["internal"];
  return names.flatMap((name): DeployedPort[] => {
    const found = ports.find((each) => nameOf(each.urn) === `${id}-${name}`);
    if (found?.id === undefined)
      return instance ? [{ id: forgotten.shift() ?? "", name: `${hostname}-${name}`, addresses: [] }] : [];
    const { urn, outputs } = found;
    const network = text(outputs?.networkId);
    return [
      {
        id: found.id,
        urn,
        name: text(outputs?.name) ?? nameOf(urn),
        addresses: (outputs?.allFixedIps ?? []) as string[],
        ...(network !== undefined && { network }),
      },
    ];
  });
}

/** Of the newest push that there was, to whichever server. */
function connectionOf({ commands }: Pieces): Connection | undefined {
  const command = commands.get("config") ?? commands.get("secrets") ?? commands.get("scripts");
  return clear(command?.inputs?.connection) as Connection | undefined;
}

function stdin(command: Resource | undefined): string {
  return text(clear(command?.inputs?.stdin)) ?? "";
}
