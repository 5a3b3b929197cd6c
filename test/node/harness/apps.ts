import { plan, type PlannedAppServer } from "../../../plan/plan";
import { bundle, type ConfigFile } from "../../../render/bundle";
import { appServerFiles, appServerSecretFiles } from "../../../render/files";
import { dualStack, specOf } from "../../support/specs";
import { sampleApp } from "./bundles";
import type { Machine } from "./machine";
import type { Result } from "./shell";
import type { Site } from "./site";

const spec = specOf(dualStack({ internal: { cidr: "198.51.100.0/24", vip: "198.51.100.200" } }));
// The tests' network is smaller than a stack file may have.
spec.internal = { ...spec.internal, cidr: "198.51.100.192/26", builtAs: "198.51.100.192/26" };
const planned = plan(spec);

export type App = PlannedAppServer;

/** In the order of a rollout: the first one may serve the sample in the first build. */
export const GROUP = planned.appServers as [App, App, App];

/** As of a server of another group, which the firewall lets in as well. */
export const STRANGER = "198.51.100.240";

/** What the program pushes, as the release before knew it: without what gives and takes releases. */
export function filesBefore(node: App): string {
  return bundle(appFiles(node).filter(({ path }) => !/neighbours$|app-release/.test(path)));
}

export function appFiles(node: App): ConfigFile[] {
  return appServerFiles(planned, node, sampleApp());
}

/** As the cloud makes it: fresh, with its address, before any push. */
export async function bootApp(site: Site, name: string, { internal }: App): Promise<Machine> {
  const machine = await site.boot(name, ["internal"]);
  await machine.output(`ip addr add ${internal}/26 dev eth0`);
  return machine;
}

export async function pushApp(machine: Machine, node: App, files = bundle(appFiles(node))): Promise<Result> {
  const secrets = await machine.push("app-server", "secrets", bundle(appServerSecretFiles("a password of the tests")));
  return secrets.code === 0 ? machine.push("app-server", "files", files) : secrets;
}

/** What the first build of a group does on one machine; see components/remote.ts. */
export const letServeSample = (machine: Machine): Promise<string> => machine.output("/opt/ha-cluster/app-founding.sh");
