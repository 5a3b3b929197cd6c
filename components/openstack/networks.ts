import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import { vipPort } from "../../change/deployed";
import { contains, parseIp } from "../../config/ip";
import { internalSubnets, network, subnetOf } from "../../plan/addresses";
import type { Plan } from "../../plan/plan";
import { markOf } from "../../plan/mark";
import { SOON } from "./timeouts";

export interface NetworksArgs {
  plan: Plan;
}

/**
 * The provider's external network, looked up, the VIPs' places in it, and the cluster's own internal one. A VIP is held in
 * Neutron by a port that is at no server, as Octavia does it: else it might give the address to anybody's machine, and nobody
 * would notice. It comes before all else, so that one that is somebody's ends a first run with nothing made.
 */
export class Networks extends pulumi.ComponentResource {
  readonly externalId: pulumi.Output<string>;
  readonly externalSubnet4Id: pulumi.Output<string>;
  /** Absent until the IPv6 rollout. */
  readonly externalSubnet6Id?: pulumi.Output<string>;
  readonly internalId: pulumi.Output<string>;
  /** Made, none of the addresses that the cluster shares can be somebody else's. */
  readonly reserved: pulumi.Resource[];
  private readonly internalSubnets: [cidr: string, id: pulumi.Output<string>][] = [];

  private readonly internal: Plan["internal"];

  constructor(name: string, { plan }: NetworksArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ha-cluster:openstack:Networks", name, {}, opts);
    const parent = { parent: this };
    const { external, internal } = plan;

    this.externalId = openstack.networking.getNetworkOutput({ name: external.network }, parent).id;
    this.externalSubnet4Id = openstack.networking.getSubnetOutput(
      { networkId: this.externalId, cidr: external.ipv4.cidr },
      parent,
    ).id;
    if (external.ipv6) {
      this.externalSubnet6Id = openstack.networking.getSubnetOutput(
        { networkId: this.externalId, cidr: external.ipv6.prefix },
        parent,
      ).id;
    }

    this.reserved = (external.reserveVips ? plan.vips : [])
      .flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
      .filter((address) => address !== undefined)
      .map((address) => this.reserve(address, plan));

    const internalNetwork = new openstack.networking.Network(
      "internal",
      { name: `${plan.customer}-internal`, description: markOf(plan), adminStateUp: true },
      { ...parent, dependsOn: this.reserved, customTimeouts: SOON },
    );
    const home = subnetOf(internal, internal.vip);
    for (const [index, cidr] of internalSubnets(internal).entries()) {
      const subnetName = index === 0 ? "internal-ipv4" : `internal-ipv4-${index + 1}`;
      const { id } = new openstack.networking.Subnet(
        subnetName,
        {
          name: `${plan.customer}-${subnetName}`,
          description: markOf(plan),
          networkId: internalNetwork.id,
          ipVersion: 4,
          cidr,
          ...(cidr === home ? { gatewayIp: internal.vip } : { noGateway: true }),
          enableDhcp: false,
          dnsNameservers: plan.nameservers,
        },
        // Neutron refuses a gateway out of its own allocation pool. New machines are told the VIP by their user data.
        { ...parent, ignoreChanges: ["gatewayIp", "noGateway"], customTimeouts: SOON },
      );
      this.internalSubnets.push([cidr, id]);
    }
    this.internal = internal;
    this.internalId = internalNetwork.id;
    this.registerOutputs({ externalId: this.externalId, internalId: this.internalId });
  }

  private reserve(address: string, plan: Plan): pulumi.Resource {
    return new openstack.networking.Port(
      vipPort(address),
      {
        name: `${plan.customer}-vip-${address}`,
        description: markOf(plan),
        networkId: this.externalId,
        adminStateUp: false,
        noSecurityGroups: true,
        fixedIps: [{ subnetId: this.externalSubnetId(address, plan.external), ipAddress: address }],
      },
      { parent: this, customTimeouts: SOON },
    );
  }

  private externalSubnetId(address: string, { ipv4, ipv6 }: Plan["external"]): pulumi.Output<string> {
    const former = [ipv4.former, ipv6?.former].find((cidr) => cidr !== undefined && isIn(address, cidr));
    if (former === undefined) return address.includes(":") ? this.externalSubnet6Id! : this.externalSubnet4Id;
    const { id } = openstack.networking.getSubnetOutput({ networkId: this.externalId, cidr: former }, { parent: this });
    return id;
  }

  /** Of the subnet that this internal address is in. */
  internalSubnetId(address: string): pulumi.Output<string> {
    const cidr = subnetOf(this.internal, address);
    return this.internalSubnets.find(([each]) => each === cidr)![1];
  }
}

function isIn(address: string, cidr: string): boolean {
  return contains(network(cidr), parseIp(address)!);
}
