import { parseIp } from "../config/ip";
import { CUSTOMER } from "../plan/mark";
import type { Rule } from "../verify/gather/neutron";
import type { Inventory, Named } from "./inventory";

export type Inputs = Readonly<Record<string, unknown>>;

/** How the cloud knows again what a resource with these inputs would be, or is. */
interface Kind {
  /** What the cloud calls one. */
  word: string;
  /** Undefined where that can't be told: whether one is there that is not listed. */
  ids: (cloud: Inventory) => string[] | undefined;
  /** Ids of those that these inputs made. A name alone says nothing: somebody else may have the same. */
  find: (inputs: Inputs, cloud: Inventory) => string[];
}

/** By the types of Pulumi's resources. */
export const KINDS: Readonly<Record<string, Kind>> = {
  "openstack:networking/network:Network": {
    word: "network",
    ids: ({ networks }) => networks.map(({ id }) => id),
    find: (inputs, { networks }) => idsOf(networks.filter((each) => isMarked(inputs, each))),
  },
  "openstack:networking/subnet:Subnet": {
    word: "subnet",
    ids: ({ subnets }) => subnets.map(({ id }) => id),
    find: (inputs, { subnets }) =>
      idsOf(subnets.filter((each) => each.network_id === inputs.networkId && each.cidr === inputs.cidr)),
  },
  "openstack:networking/port:Port": {
    word: "port",
    ids: ({ ports }) => ports.map(({ id }) => id),
    // A port that somebody else has made may have the name, or the address in another network, and not both.
    find: (inputs, { ports }) =>
      idsOf(
        ports.filter(
          (each) =>
            each.name === inputs.name &&
            each.network_id === inputs.networkId &&
            addressesOf(inputs).some((address) => each.fixed_ips.some((own) => same(own.ip_address, address))),
        ),
      ),
  },
  "openstack:networking/secGroup:SecGroup": {
    word: "security group",
    ids: ({ groups }) => groups.map(({ id }) => id),
    find: (inputs, { groups }) => idsOf(groups.filter((each) => isMarked(inputs, each))),
  },
  "openstack:networking/secGroupRule:SecGroupRule": {
    word: "security group rule",
    ids: ({ rules }) => rules.map(({ id }) => id),
    find: (inputs, { rules }) => idsOf(rules.filter((rule) => isRule(inputs, rule))),
  },
  "openstack:compute/serverGroup:ServerGroup": {
    word: "server group",
    ids: ({ serverGroups }) => serverGroups?.map(({ id }) => id),
    // Named after the cluster, which no other of the project may be called.
    find: (inputs, { serverGroups = [] }) => idsOf(serverGroups.filter(({ name }) => name === inputs.name)),
  },
  "openstack:compute/keypair:Keypair": {
    word: "keypair",
    // Of another operator's nobody else sees anything.
    ids: () => undefined,
    find: (inputs, { keyPairs = [] }) =>
      keyPairs
        .filter(({ name, public_key }) => name === inputs.name && public_key.trim() === text(inputs.publicKey).trim())
        .map(({ name }) => name),
  },
  "openstack:compute/instance:Instance": {
    word: "server",
    ids: ({ servers }) => servers.map(({ id }) => id),
    find: findServer,
  },
};

/** The one that has the ports, which are at one server at a time; where none has them, one that has none and says whose it is. */
function findServer(inputs: Inputs, { servers, ports }: Inventory): string[] {
  const named = servers.filter(({ name }) => name === inputs.name);
  const customer = ((inputs.metadata ?? {}) as Record<string, unknown>)[CUSTOMER];
  const wanted = ((inputs.networks ?? []) as { port?: unknown }[]).map(({ port }) => port);
  const has = (server: string): string[] => ports.filter((each) => each.device_id === server).map(({ id }) => id);
  const owners = named.filter(({ id }) => has(id).some((port) => wanted.includes(port)));
  return idsOf(
    owners.length > 0
      ? owners
      : named.filter(
          ({ id, metadata }) => customer !== undefined && metadata[CUSTOMER] === customer && has(id).length === 0,
        ),
  );
}

/** By its name, and by the words that say whose it is, which are there from the same moment on. */
function isMarked(inputs: Inputs, { name, description = "" }: Named): boolean {
  return name === inputs.name && text(inputs.description) !== "" && description === inputs.description;
}

/** Neutron has no two rules of a group that say the same. */
function isRule(inputs: Inputs, rule: Rule): boolean {
  return (
    rule.security_group_id === inputs.securityGroupId &&
    rule.direction === inputs.direction &&
    rule.ethertype === inputs.ethertype &&
    (rule.protocol ?? "") === text(inputs.protocol) &&
    (rule.port_range_min ?? undefined) === inputs.portRangeMin &&
    (rule.port_range_max ?? undefined) === inputs.portRangeMax &&
    (rule.remote_group_id ?? "") === text(inputs.remoteGroupId) &&
    same(rule.remote_ip_prefix ?? "", text(inputs.remoteIpPrefix))
  );
}

function addressesOf(inputs: Inputs): string[] {
  return ((inputs.fixedIps ?? []) as { ipAddress?: unknown }[]).map(({ ipAddress }) => text(ipAddress));
}

/** Neutron writes IPv6 addresses in the short form, whatever it was told. */
function same(one: string, other: string): boolean {
  const canonical = (value: string): string => {
    const [address = "", length = ""] = value.split("/");
    return `${parseIp(address)?.value ?? address}/${length}`;
  };
  return canonical(one) === canonical(other);
}

function idsOf(found: readonly { id: string }[]): string[] {
  return found.map(({ id }) => id);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
