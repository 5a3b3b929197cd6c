import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import { internalSubnets, subnetOf } from "../../plan/addresses";
import type { Plan } from "../../plan/plan";

export interface NetworksArgs {
  plan: Plan;
}

/** The provider's external network, looked up, and the cluster's own internal one. */
export class Networks extends pulumi.ComponentResource {
  readonly externalId: pulumi.Output<string>;
  readonly externalSubnet4Id: pulumi.Output<string>;
  /** Absent until the IPv6 rollout. */
  readonly externalSubnet6Id?: pulumi.Output<string>;
  readonly internalId: pulumi.Output<string>;
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

    const network = new openstack.networking.Network(
      "internal",
      { name: `${plan.customer}-internal`, adminStateUp: true },
      parent,
    );
    const home = subnetOf(internal, internal.vip);
    for (const [index, cidr] of internalSubnets(internal).entries()) {
      const subnetName = index === 0 ? "internal-ipv4" : `internal-ipv4-${index + 1}`;
      const { id } = new openstack.networking.Subnet(
        subnetName,
        {
          name: `${plan.customer}-${subnetName}`,
          networkId: network.id,
          ipVersion: 4,
          cidr,
          ...(cidr === home ? { gatewayIp: internal.vip } : { noGateway: true }),
          enableDhcp: false,
          dnsNameservers: plan.nameservers,
        },
        // Neutron refuses a gateway out of its own allocation pool. New machines are told the VIP by their user data.
        { ...parent, ignoreChanges: ["gatewayIp", "noGateway"] },
      );
      this.internalSubnets.push([cidr, id]);
    }
    this.internal = internal;
    this.internalId = network.id;
    this.registerOutputs({ externalId: this.externalId, internalId: this.internalId });
  }

  /** Of the subnet that this internal address is in. */
  internalSubnetId(address: string): pulumi.Output<string> {
    const cidr = subnetOf(this.internal, address);
    return this.internalSubnets.find(([each]) => each === cidr)![1];
  }
}
