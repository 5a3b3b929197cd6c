import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import { type Flow, type Zone, ZONES } from "../../plan/firewall";
import type { Plan } from "../../plan/plan";
import { markOf } from "../../plan/mark";
import { SOON } from "./timeouts";

export interface SecurityGroupsArgs {
  plan: Plan;
  /** What comes before them. */
  after: pulumi.Resource[];
}

/** One security group per zone of the plan, and one rule per flow and sender. */
export class SecurityGroups extends pulumi.ComponentResource {
  readonly ids: Record<Zone, pulumi.Output<string>>;

  constructor(name: string, { plan, after }: SecurityGroupsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ha-cluster:openstack:SecurityGroups", name, {}, opts);
    const group = (zone: Zone): pulumi.Output<string> =>
      new openstack.networking.SecGroup(
        zone,
        { name: `${plan.customer}-${zone}`, description: `${markOf(plan)}: ${zone}` },
        { parent: this, dependsOn: after, customTimeouts: SOON },
      ).id;
    this.ids = {
      "lb-external": group("lb-external"),
      "lb-internal": group("lb-internal"),
      database: group("database"),
      app: group("app"),
    };
    for (const zone of ZONES) {
      for (const flow of plan.firewall.cloudFlows[zone]) this.rules(zone, flow);
    }
    this.registerOutputs({ ids: this.ids });
  }

  private rules(zone: Zone, flow: Flow): void {
    const base = [zone, flow.family, flow.protocol, ...(flow.port === undefined ? [] : [flow.port])].join("-");
    if (flow.fromZone !== undefined) {
      this.rule(`${base}-from-${flow.fromZone}`, zone, flow, { remoteGroupId: this.ids[flow.fromZone] });
    } else if (flow.from.length === 0) {
      this.rule(base, zone, flow, {});
    } else {
      for (const sender of flow.from) this.rule(`${base}-from-${sender}`, zone, flow, { remoteIpPrefix: sender });
    }
  }

  private rule(
    name: string,
    zone: Zone,
    flow: Flow,
    sender: { remoteGroupId?: pulumi.Input<string>; remoteIpPrefix?: string },
  ): void {
    new openstack.networking.SecGroupRule(
      name,
      {
        securityGroupId: this.ids[zone],
        direction: "ingress",
        ethertype: flow.family === "ipv4" ? "IPv4" : "IPv6",
        description: flow.why,
        ...protocol(flow),
        ...sender,
      },
      { parent: this, customTimeouts: SOON },
    );
  }
}

function protocol(flow: Flow): { protocol?: string; portRangeMin?: number; portRangeMax?: number } {
  switch (flow.protocol) {
    case "tcp":
    case "udp":
      return { protocol: flow.protocol, portRangeMin: flow.port, portRangeMax: flow.port };
    case "icmp":
      return { protocol: flow.family === "ipv4" ? "icmp" : "ipv6-icmp" };
    case "vrrp":
      return { protocol: "vrrp" };
    case "any":
      return {};
    default:
      return flow.protocol satisfies never;
  }
}
