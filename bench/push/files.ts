import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatProblems } from "../../config/problems";
import { readNodeFiles } from "../../node/files";
import { databaseOf } from "../../plan/database";
import type { Stack } from "../../operate/stack";
import { load } from "../../plan/load";
import type { Role, Server } from "../../plan/servers";
import type { ConfigFile } from "../../render/bundle";
import {
  appServerFiles,
  appServerSecretFiles,
  databaseFiles,
  databaseSecretFiles,
  loadBalancerFiles,
  loadBalancerSecretFiles,
} from "../../render/files";
import { DerivedSecrets } from "../../secrets/derive";

/** One machine and everything that is pushed to it, secrets included. */
export interface Target {
  hostname: string;
  role: Role;
  datacenter: string;
  /** Where SSH finds it: the external address of a load balancer, else the internal one, by way of a load balancer. */
  address: string;
  files: ConfigFile[];
}

export interface Targets {
  sshUser: string;
  clientKey: string;
  /** Public host key per hostname, one line. */
  hostKeys: Record<string, string>;
  /** In the order of a rollout. */
  machines: Target[];
}

/** What the stack's configuration makes: the same plan and the same files as `pulumi up`. */
export async function targets(stack: Stack): Promise<Targets> {
  const { name } = stack.options;
  const { plan, secrets, problems } = load(await stack.config(), name, new Date());
  if (!plan) throw new Error(formatProblems(problems, `stack ${name}`));

  const derived = new DerivedSecrets(secrets.root);
  const password = derived.databasePassword(databaseOf(plan).user);
  const { sampleApp } = readNodeFiles();
  const machines = [
    ...plan.loadBalancers.map((node) =>
      target(node, node.external.ipv4, [
        ...loadBalancerFiles(plan, node),
        ...loadBalancerSecretFiles(plan, derived.vrrpPassword(), secrets.certificateKeys),
      ]),
    ),
    ...plan.databases.map((node) =>
      target(node, node.internal, [...databaseFiles(plan, node), ...databaseSecretFiles(password)]),
    ),
    ...plan.appServers.map((node) =>
      target(node, node.internal, [...appServerFiles(plan, node, sampleApp), ...appServerSecretFiles(password)]),
    ),
  ];
  const nodes = [...plan.loadBalancers, ...plan.databases, ...plan.appServers];
  return {
    sshUser: plan.sshUser,
    clientKey: derived.clientKey().privateKey,
    hostKeys: Object.fromEntries(nodes.map(({ hostname, id }) => [hostname, derived.hostKey(id).publicKey])),
    machines,
  };
}

function target({ hostname, role, datacenter }: Server, address: string, files: ConfigFile[]): Target {
  return { hostname, role, datacenter, address, files };
}

/** Writes the files as `folder/HOSTNAME/PATH`, for nobody else to read. */
export function writeTree(folder: string, machines: readonly Target[]): void {
  for (const { hostname, files } of machines) {
    for (const { path, mode, text } of files) {
      const place = join(folder, hostname, path);
      mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
      writeFileSync(place, text, { mode: 0o600 });
      chmodSync(place, Number.parseInt(mode, 8));
    }
  }
}
