import * as pulumi from "@pulumi/pulumi";
import type { Login } from "../../config/spec";
import type { Plan, PlannedLoadBalancer } from "../../plan/plan";
import { renderAdoption } from "../../render/existing";
import type { Door } from "../remote";
import type { Machine, MachineSource } from "./machine";

/** Load balancers that somebody else built. Nothing is made in any cloud, nor is a provider asked. */
export class ExistingMachines implements MachineSource {
  readonly clientKey: pulumi.Output<string>;
  readonly knownHosts: string[];
  readonly shared: pulumi.Resource[] = [];

  /** @param privateKey logs in to every host and jump host, in the clear */
  constructor(
    private readonly plan: Plan,
    privateKey: string,
  ) {
    this.clientKey = pulumi.secret(privateKey);
    this.knownHosts = [...new Set(plan.loadBalancers.flatMap(knownHosts))];
  }

  loadBalancer(node: PlannedLoadBalancer): Machine {
    const { login, jump } = hostOf(node);
    const door = { ...this.door(login), ...(jump && { jump: this.door(jump) }) };
    return { id: login.hostKey, door, adoption: renderAdoption(this.plan, node) };
  }

  internalServer(): never {
    throw new Error("the machines behind load balancers that exist are somebody else's");
  }

  private door({ host, port, user, hostKey }: Login): Door {
    return { host, port, user, hostKey, privateKey: this.clientKey };
  }
}

function hostOf(node: PlannedLoadBalancer) {
  if (!node.host) throw new Error(`${node.id} is not among the hosts that exist`);
  return node.host;
}

function knownHosts(node: PlannedLoadBalancer): string[] {
  const { login, jump } = hostOf(node);
  return [login, ...(jump ? [jump] : [])].map(({ host, port, hostKey }) => {
    const [type, key] = hostKey.split(/\s+/);
    return `${port === 22 ? host : `[${host}]:${port}`} ${type} ${key}`;
  });
}
