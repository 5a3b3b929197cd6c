import type * as pulumi from "@pulumi/pulumi";
import type { Zone } from "../../plan/firewall";
import type { PlannedAppServer, PlannedDatabase, PlannedLoadBalancer } from "../../plan/plan";
import type { Door } from "../remote";

/** A machine that can be pushed to, wherever it comes from. */
export interface Machine {
  /** Another one is another machine, and gets everything anew. */
  id: pulumi.Input<string>;
  door: Door;
  /** What a host that somebody else built has to be told before anything of it is replaced; absent where it is made. */
  adoption?: string;
}

/** Told how a machine is reached, says what has to be done before anything that stops it. */
export type Before = (door: Door) => pulumi.Resource[];

/** Where the machines of a stack come from. */
export interface MachineSource {
  /** The private key that logs in, marked secret. */
  readonly clientKey: pulumi.Output<string>;
  /** Public host keys as known_hosts(5) wants them, one line per machine. */
  readonly knownHosts: string[];
  /** What its machines have in common. */
  readonly shared: pulumi.Resource[];
  /** @param turn what has to be done before its addresses change, where they do */
  loadBalancer(node: PlannedLoadBalancer, before: Before, parent: pulumi.Resource, turn: pulumi.Resource[]): Machine;
  /** @param jump the load balancer by way of which the machine is reached */
  internalServer(
    node: PlannedDatabase | PlannedAppServer,
    zone: Zone,
    jump: Door,
    before: Before,
    parent: pulumi.Resource,
  ): Machine;
}
