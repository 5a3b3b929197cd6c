import { parseNetwork, type Family } from "../../config/ip";
import type { Problem } from "../../config/problems";
import type { Service, Spec } from "../../config/spec";
import { type DatabaseCluster, GALERA_PORTS, MARIADB_PORT } from "../database";
import { SSH_PORT, ZONES, type Flow, type Zone } from "../firewall";
import { METRICS_PORT } from "../haproxy";
import { RELEASE_PORT } from "../../config/spec";
import type { Plan } from "../plan";
import { RELAY_PORT } from "../relay";
import { contradiction } from "./report";

const FILE = "plan/firewall.ts";
const ANYBODY = "anybody";

/** What must come in, and nothing else may. */
interface Opening {
  family: Family;
  protocol: Flow["protocol"];
  port?: number;
  from: string[];
  /** The key of the stack file that asks for it. */
  path: string;
}

/** Both firewalls, the machines' and the cloud's, let in exactly what the cluster needs. */
export function* checkFirewall(spec: Spec, planned: Plan): Iterable<Problem> {
  // Of hosts that exist, the firewall is somebody else's.
  if (!planned.database) return;
  const { flows, cloudFlows } = planned.firewall;
  const members = zoneMembers(planned);
  const wanted = openings(spec, planned.database, members);
  const gateway: Opening[] = [{ family: "ipv4", protocol: "any", from: [spec.internal.cidr], path: "internal.cidr" }];
  for (const zone of ZONES) {
    yield* checkZone(`the servers' firewall (${zone})`, flows[zone], wanted[zone], (flow) => flow.from);
    // A gateway's port passes on what is for others, so the cloud can't look closer there.
    const inCloud = zone === "lb-internal" ? gateway : wanted[zone];
    yield* checkZone(`the cloud's security group (${zone})`, cloudFlows[zone], inCloud, ({ fromZone, from, family }) =>
      fromZone === undefined ? from : members[fromZone][family],
    );
  }
  if (planned.firewall.masquerade !== spec.internal.cidr) {
    const cause = `load balancers masquerade ${planned.firewall.masquerade}, but the internal network is ${spec.internal.cidr}`;
    yield contradiction("internal.cidr", cause, FILE);
  }
}

type Members = Record<Zone, Record<Family, string[]>>;

function zoneMembers({ loadBalancers, databases, appServers }: Plan): Members {
  const inside = (nodes: { internal: string }[]): Record<Family, string[]> => ({
    ipv4: nodes.map((node) => node.internal),
    ipv6: [],
  });
  return {
    "lb-external": {
      ipv4: loadBalancers.map((node) => node.external.ipv4),
      ipv6: loadBalancers.flatMap((node) => node.external.ipv6 ?? []),
    },
    "lb-internal": inside(loadBalancers),
    database: inside(databases),
    app: inside(appServers),
  };
}

function openings(spec: Spec, database: DatabaseCluster, members: Members): Record<Zone, Opening[]> {
  const balancers = members["lb-internal"].ipv4;
  const databases = members.database.ipv4;
  const internal = [spec.internal.cidr];
  const tcp = (path: string, port: number, from: string[]): Opening => ({
    family: "ipv4",
    protocol: "tcp",
    port,
    from,
    path,
  });
  const ping: Opening = { family: "ipv4", protocol: "icmp", from: internal, path: "internal.cidr" };
  const galera = "database.engine";
  return {
    "lb-external": outside(spec, members),
    "lb-internal": [
      { family: "ipv4", protocol: "vrrp", from: balancers, path: "datacenters" },
      { family: "ipv4", protocol: "udp", port: RELAY_PORT, from: balancers, path: "datacenters" },
      tcp("database.port", spec.database.port, internal),
      tcp("loadBalancers", METRICS_PORT, internal),
      ping,
    ],
    database: [
      tcp("database", SSH_PORT, balancers),
      tcp("database", MARIADB_PORT, balancers),
      tcp("database", database.statusPort, [...balancers, ...databases]),
      ...Object.values(GALERA_PORTS).map((port) => tcp(galera, port, databases)),
      { family: "ipv4", protocol: "udp", port: GALERA_PORTS.group, from: databases, path: galera },
      ping,
    ],
    app: [
      tcp("appServers", SSH_PORT, balancers),
      ...spec.appServers.map((group) => tcp(`appServers.${group.name}.port`, group.port, balancers)),
      tcp("appServers", RELEASE_PORT, members.app.ipv4),
      ping,
    ],
  };
}

function outside(spec: Spec, members: Members): Opening[] {
  const families: Family[] = spec.external.ipv6 ? ["ipv4", "ipv6"] : ["ipv4"];
  return families.flatMap((family): Opening[] => {
    const served = new Set(spec.vips.filter((vip) => vip[family] !== undefined).map((vip) => vip.name));
    const operators = spec.ssh.allowedFrom.filter((text) => parseNetwork(text)?.family === family);
    return [
      { family, protocol: "icmp", from: [], path: `external.${family}` },
      { family, protocol: "vrrp", from: members["lb-external"][family], path: "datacenters" },
      ...(operators.length === 0
        ? []
        : [{ family, protocol: "tcp" as const, port: SSH_PORT, from: operators, path: "ssh.allowedFrom" }]),
      ...spec.services
        .filter((service) => service.vips.some((name) => served.has(name)))
        .flatMap(ports)
        .map(({ path, port }): Opening => ({ family, protocol: "tcp", port, from: [], path })),
    ];
  });
}

function ports(service: Service): { path: string; port: number }[] {
  const path = `services.${service.name}`;
  if (service.kind === "tcp") return [{ path: `${path}.tcp`, port: service.port }];
  return [
    ...(service.http === undefined ? [] : [{ path: `${path}.http`, port: service.http }]),
    ...(service.https === undefined ? [] : [{ path: `${path}.https`, port: service.https.port }]),
  ];
}

function* checkZone(
  where: string,
  flows: Flow[],
  wanted: Opening[],
  senders: (flow: Flow) => readonly string[],
): Iterable<Problem> {
  const open = new Map<string, Set<string>>();
  for (const flow of flows) admit(open, flow, senders(flow));
  const needed = new Map<string, Set<string>>();
  const paths = new Map<string, string>();
  for (const opening of wanted) {
    admit(needed, opening, opening.from);
    if (!paths.has(label(opening))) paths.set(label(opening), opening.path);
  }
  for (const [what, from] of needed) {
    const admitted = open.get(what);
    const path = paths.get(what)!;
    if (!admitted) {
      yield contradiction(path, `${where} does not let in ${what}, from ${[...from].join(", ")}`, FILE);
      continue;
    }
    const kept = [...from].filter((sender) => !admitted.has(sender));
    const strangers = [...admitted].filter((sender) => !from.has(sender));
    if (strangers.length > 0) {
      const cause = `${where} lets in ${what} from ${strangers.join(", ")}, but only ${[...from].join(", ")} may`;
      yield contradiction(path, cause, FILE);
    } else if (kept.length > 0) {
      yield contradiction(path, `${where} does not let in ${what} from ${kept.join(", ")}`, FILE);
    }
  }
  for (const what of open.keys()) {
    if (!needed.has(what))
      yield contradiction("(firewall)", `${where} lets in ${what}, which nothing here serves`, FILE);
  }
}

/** Whoever admits anybody names nobody else. */
function admit(
  openings: Map<string, Set<string>>,
  flow: Omit<Opening, "path" | "from">,
  from: readonly string[],
): void {
  const senders = openings.get(label(flow)) ?? new Set();
  const all = [...senders, ...from];
  const anybody = from.length === 0 || all.some((sender) => sender === ANYBODY || sender.endsWith("/0"));
  openings.set(label(flow), new Set(anybody ? [ANYBODY] : all));
}

function label({ family, protocol, port }: Omit<Opening, "path" | "from">): string {
  return `${family} ${protocol}${port === undefined ? "" : ` ${port}`}`;
}
