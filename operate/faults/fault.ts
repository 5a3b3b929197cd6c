import type { Fleet } from "../fleet";
import type { Cloud } from "./cloud";

/** Where a fault happens: a cluster that is healthy, and who is active in it. */
export interface Field {
  fleet: Fleet;
  /** Power and pause of machines, where the cloud that runs them can be asked. */
  cloud?: Cloud;
  /** The load balancer that holds the VIPs. */
  active: string;
}

export interface Fault {
  /** For the command line; `a-z` and `-`. */
  name: string;
  /** What it does, in words, as a sentence's end: "the active load balancer …". */
  does: string;
  /** `planned`: no request may fail. `crash`: VRRP has to notice by itself. `other`: what it costs is not VRRP's to say. */
  kind: "planned" | "crash" | "other";
  /** What it needs beside SSH to the machines. */
  needs?: "cloud";
  /** The machines that it meets. */
  hits(field: Field): string[];
  /**
   * Makes it happen and comes back once it has, or is bound to within seconds. It ends after `seconds` at the latest, also
   * when nobody can reach the machine, unless it {@link needs} the cloud.
   */
  inject(field: Field, seconds: number): Promise<Heal>;
}

/** Puts everything back, and waits until that is done. May be called again. */
export type Heal = () => Promise<Moments>;

/** When the first machine was hit, and when the last one was put back; milliseconds since the epoch. */
export interface Moments {
  began: number;
  healed: number;
}

/** The machines of a datacenter, load balancers last: others are reached by way of them. */
export function machinesOf(fleet: Fleet, datacenter: string): string[] {
  const there = fleet.names().filter((name) => fleet.outputs.servers[name]!.datacenter === datacenter);
  const isBalancer = (name: string): boolean => fleet.outputs.servers[name]!.role === "load-balancer";
  return [...there.filter((name) => !isBalancer(name)), ...there.filter(isBalancer)];
}

export function datacenterOf(fleet: Fleet, machine: string): string {
  return fleet.outputs.servers[machine]!.datacenter;
}

/** The datacenters in order, beginning with the one after this machine's. */
export function otherDatacenters(fleet: Fleet, machine: string): string[] {
  const own = datacenterOf(fleet, machine);
  const all = [...new Set(fleet.names().map((name) => datacenterOf(fleet, name)))].sort();
  const at = all.indexOf(own);
  return [...all.slice(at + 1), ...all.slice(0, at)];
}
