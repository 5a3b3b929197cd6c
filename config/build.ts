import { readDate } from "./checks/quorum";
import { routerIdsOf } from "./checks/vrrp";
import { Encrypted, UNREADABLE } from "./encrypted";
import { containsNetwork, formatIp, formatNetwork, parseIp, parseNetwork, parseSpan } from "./ip";
import { NOTHING_STANDS, placesOf, type Standing } from "./places";
import {
  type ExistingHost,
  type Machines,
  MOST_DATACENTERS,
  type Release,
  type Secrets,
  type Service,
  type Spec,
  type Vip,
  type Vrrp,
} from "./spec";
import { names, sortedEntries } from "./shape/draft";
import type { StackFile } from "./shape/schema";

/** Turns a stack file without problems into the spec: the defaults that depend on other keys, canonical forms, order. */
export function buildSpec(file: StackFile, stack: string, standing: Standing = NOTHING_STANDS): Spec {
  const places = placesOf(file, standing);
  const customer = file.customer ?? standing.customer ?? stack;
  const datacenters = names(file.datacenters);
  const perDatacenter = <T extends string | number>(value: T | Record<string, T>): Record<string, T> =>
    Object.fromEntries(datacenters.map((name) => [name, typeof value === "object" ? value[name]! : value]));
  return {
    customer,
    clusterName: file.clusterName ?? customer,
    machines: buildMachines(file.machines),
    datacenters: sortedEntries(file.datacenters)
      .map(([name, { availabilityZone }]) => ({
        name,
        availabilityZone: availabilityZone ?? name,
        slot: places.datacenters[name]!,
      }))
      .sort((a, b) => a.slot - b.slot),
    ...(file.quorumRisk && {
      quorumRisk: { acceptedBy: file.quorumRisk.acceptedBy, on: readDate(file.quorumRisk.on)! },
    }),
    external: buildExternal(file.external),
    internal: buildInternal(file.internal, standing),
    vips: buildVips(file.vips),
    services: sortedEntries(file.services).map(([name, service]) => buildService(name, service, file)),
    certificates: sortedEntries(file.certificates).map(([name, { certificate }]) => ({
      name,
      certificate: pem(certificate),
    })),
    loadBalancers: {
      flavor: perDatacenter(file.loadBalancers.flavor),
      image: file.loadBalancers.image ?? file.image,
      packages: file.loadBalancers.packages,
    },
    appServers: sortedEntries(file.appServers).map(([name, group]) => ({
      name,
      serversNamed: group.serversNamed ?? name,
      runtime: "python",
      port: group.port,
      count: perDatacenter(group.perDatacenter),
      slots: places.groups[name]!,
      flavor: perDatacenter(group.flavor),
      image: group.image ?? file.image,
      addresses: sortedAddresses(group.addresses ?? []),
    })),
    database: {
      engine: "galera",
      port: file.database.port,
      flavor: perDatacenter(file.database.flavor),
      image: file.database.image ?? file.image,
    },
    vrrp: buildVrrp(file),
    ssh: { user: file.ssh.user, allowedFrom: canonicalRanges(file.ssh.allowedFrom) },
    interfaces: file.interfaces,
    mayReplace: [...file.mayReplace].sort(),
    mayDelete: [...file.mayDelete].sort(),
    mayDestroy: file.mayDestroy !== undefined,
    nameservers: file.nameservers.map(canonicalIp),
  };
}

export function buildSecrets(file: StackFile): Secrets {
  return {
    root: readable(file.rootSecret),
    certificateKeys: Object.fromEntries(
      sortedEntries(file.certificates).map(([name, { privateKey }]) => [name, pem(readable(privateKey))]),
    ),
    ...(file.machines.privateKey !== undefined && { sshPrivateKey: pem(readable(file.machines.privateKey)) }),
    ...(file.vrrp.password !== undefined && { vrrpPassword: readable(file.vrrp.password).trim() }),
  };
}

function buildMachines({ source, configureIpv6, loadBalancers }: StackFile["machines"]): Machines {
  if (source !== "existing") return { source: "openstack" };
  return { source, configureIpv6, hosts: sortedEntries(loadBalancers).map(buildHost) };
}

type FileHost = NonNullable<StackFile["machines"]["loadBalancers"]>[string];

function buildHost([datacenter, host]: [string, FileHost]): ExistingHost {
  const { external, jump } = host;
  const ipv4 = canonicalIp(external.ipv4);
  const login = ({ user, port, hostKey }: Omit<ExistingHost["login"], "host">) => ({
    user,
    port,
    hostKey: hostKey.trim(),
  });
  return {
    datacenter,
    hostname: host.hostname,
    release: host.release as Release,
    external: { ipv4, ...(external.ipv6 !== undefined && { ipv6: canonicalIp(external.ipv6) }) },
    internal: canonicalIp(host.internal),
    login: { host: host.address ?? ipv4, ...login(host) },
    ...(jump && { jump: { host: jump.host, ...login(jump) } }),
  };
}

/** Seconds between adverts: the default from measurements (docs/fail-over.md), and what VRRPv2 can do, which counts whole seconds. */
const INTERVAL = { default: 0.3, version2: 1 };

function buildVrrp({ vrrp, machines }: StackFile): Vrrp {
  const { version, authentication, password, transport } = vrrp;
  // Hand-made files are of version 2, and all load balancers have to speak the same while they are taken over.
  const asBefore = machines.source === "existing" || version === 2 || password !== undefined;
  const advertInterval = vrrp.advertInterval ?? (asBefore ? INTERVAL.version2 : INTERVAL.default);
  const chosen = version ?? (Number.isInteger(advertInterval) ? 2 : 3);
  return {
    advertInterval,
    routerIds: routerIdsOf(vrrp.firstRouterId, vrrp.routerIds),
    version: chosen === 2 ? 2 : 3,
    authentication: authentication && chosen === 2,
    transport: transport === "multicast" ? "multicast" : "unicast",
  };
}

/** With one line break at the end: `pulumi config set` takes it away, and haproxy wants key and certificate in one file. */
function pem(text: string): string {
  return `${text.trim()}\n`;
}

function readable(secret: string | Encrypted): string {
  return secret instanceof Encrypted ? UNREADABLE : secret;
}

function buildExternal({ network, ipv4, ipv6, reserveVips, vipRanges }: StackFile["external"]): Spec["external"] {
  return {
    network,
    ipv4: {
      cidr: canonicalNetwork(ipv4.cidr),
      gateway: canonicalIp(ipv4.gateway),
      ...(ipv4.loadBalancers && { loadBalancers: ownAddresses(ipv4.loadBalancers) }),
      ...buildFormer(ipv4),
    },
    ...(ipv6 && {
      ipv6: {
        prefix: canonicalNetwork(ipv6.prefix),
        gateway: canonicalIp(ipv6.gateway),
        ...(ipv6.firstSubnet !== undefined && { firstSubnet: canonicalNetwork(ipv6.firstSubnet) }),
        ...buildFormer(ipv6),
      },
    }),
    reserveVips,
    vipRanges: canonicalRanges(vipRanges),
  };
}

/** As many as there can be slots; the provider may have given more. */
function ownAddresses(spans: string[]): string[] {
  const found: string[] = [];
  for (const { family, first, last } of spans.map((text) => parseSpan(text)!))
    for (let value = first; value <= last && found.length < MOST_DATACENTERS; value++)
      found.push(formatIp({ family, value }));
  return found;
}

function buildFormer({ former }: { former?: string | undefined }): { former?: string } {
  return former === undefined ? {} : { former: canonicalNetwork(former) };
}

/** A network that doesn't contain what stands is refused elsewhere, whatever its addresses. */
function buildInternal({ cidr, vip, builtAs }: StackFile["internal"], standing: Standing): Spec["internal"] {
  const whole = parseNetwork(cidr)!;
  const first = parseNetwork(builtAs ?? standing.internal ?? cidr);
  return {
    cidr: formatNetwork(whole),
    builtAs: formatNetwork(first && containsNetwork(whole, first) ? first : whole),
    vip: canonicalIp(vip),
  };
}

function buildVips(vips: StackFile["vips"]): Vip[] {
  const only = names(vips).length === 1;
  const entries = sortedEntries(vips).map(([name, { ipv4, ipv6, primary, advertised }]): Vip => ({
    name,
    primary: primary ?? only,
    advertised: advertised ?? primary ?? only,
    ...(ipv4 !== undefined && { ipv4: canonicalIp(ipv4) }),
    ...(ipv6 !== undefined && { ipv6: canonicalIp(ipv6) }),
  }));
  return [...entries.filter((vip) => vip.primary), ...entries.filter((vip) => !vip.primary)];
}

function buildService(name: string, service: StackFile["services"][string], file: StackFile): Service {
  const given = typeof service.vips === "string" ? [service.vips] : (service.vips ?? names(file.vips));
  const base = { name, vips: [...new Set(given)].sort(), servers: service.servers ?? names(file.appServers)[0]! };
  if (service.tcp !== undefined) return { ...base, kind: "tcp", port: service.tcp };
  return {
    ...base,
    kind: "http",
    ...(service.http !== undefined && { http: service.http }),
    ...(service.https !== undefined && { https: { port: service.https, certificate: service.certificate! } }),
    redirect: service.redirect ?? false,
    healthCheck: service.healthCheck ?? "/healthz",
  };
}

function canonicalIp(text: string): string {
  return formatIp(parseIp(text)!);
}

function sortedAddresses(texts: string[]): string[] {
  const ips = texts.map((text) => parseIp(text)!);
  return ips.sort((a, b) => (a.value < b.value ? -1 : 1)).map(formatIp);
}

function canonicalNetwork(text: string): string {
  return formatNetwork(parseNetwork(text)!);
}

/** IPv4 first, by address, each once: the order of such a list means nothing. */
function canonicalRanges(texts: string[]): string[] {
  const ranges = texts.map((text) => parseNetwork(text)!);
  ranges.sort(
    (a, b) =>
      a.family.localeCompare(b.family, "en") ||
      (a.first < b.first ? -1 : a.first > b.first ? 1 : a.prefixLength - b.prefixLength),
  );
  return [...new Set(ranges.map(formatNetwork))];
}
