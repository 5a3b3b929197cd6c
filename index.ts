import * as pulumi from "@pulumi/pulumi";
import { type Change, changeOf, matched } from "./change/change";
import { room } from "./change/checks/zones";
import { type Deployed } from "./change/deployed";
import { standingOf } from "./change/standing";
import { bundlesOf } from "./change/files";
import { heldBy } from "./change/held";
import { MAY_REPLACE, refusals } from "./change/refuse";
import type { Rooms } from "./change/route";
import { begin } from "./change/rollout";
import { readState } from "./change/state";
import { words } from "./change/words";
import { addAddresses } from "./components/machines/addresses";
import { askCloud, objections } from "./components/machines/ask";
import { askRooms } from "./components/machines/room";
import { Cluster } from "./components/cluster";
import { firstOfEach, formatProblem, formatProblems, type Problem } from "./config/problems";
import { otherStackFiles } from "./config/folder";
import { keysInTheClear, readPulumiConfig } from "./config/pulumi";
import { readNodeFiles } from "./node/files";
import { describe } from "./plan/describe";
import { checkTenants } from "./plan/lint/tenants";
import { load } from "./plan/load";
import { tenantsOf } from "./plan/tenants";
import { RECOVERS } from "./recover/preview";
import { cloudAccess, CloudSession } from "./verify/gather/cloud";

// @pulumi/pulumi notes a stack trace for every promise (runtime/debuggable.js), and mapping each frame of it to its source
// was a third of the time of a large cluster's preview. Three frames still say where a mistake is.
Error.stackTraceLimit = 3;

/** The stack file becomes a plan, the plan is held against what stands, and only then is anything made. */
export = async () => {
  const stack = pulumi.getStack();
  const config = readPulumiConfig();
  const deployed = await readState(`${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`).catch(unreadable);
  if (deployed.begun.length > 0) throw new pulumi.RunError(cutShort(deployed.begun, stack));
  const { plan, spec, secrets, problems, warnings } = load(config, stack, new Date(), standingOf(deployed));
  refuse([...problems, ...keysInTheClear(config)]);
  if (!plan) throw new Error("a stack without problems has a plan");
  const tenant = { file: `Pulumi.${stack}.yaml`, ...cloudName(), spec, plan };
  const others = tenantsOf(otherStackFiles(process.cwd(), stack));
  const shared = checkTenants(tenant, others.tenants, heldBy(deployed));
  refuse(shared.problems);
  for (const warning of [...warnings, ...others.warnings, ...shared.warnings])
    void pulumi.log.warn(formatProblem(warning));

  const { mayDelete, mayReplace } = spec;
  const intent = { mayDelete, mayReplace, mayRepair: (process.env[MAY_REPLACE] ?? "").split(",") };
  const { cloud, problems: unknown } = await askCloud(plan, matched(plan, deployed), intent);
  const changeWith = (rooms: Rooms): Change => changeOf(plan, deployed, intent, { ...cloud, rooms });
  const unasked = changeWith({});
  refuse([
    ...refusals(plan, intent, secrets, deployed, unasked, cloud),
    ...unknown,
    // What has an address by now may be what a run that was cut has made: recover/ looks for just that.
    ...(process.env[RECOVERS] === undefined ? await objections(plan, deployed, unasked) : []),
  ]);
  // Only when nothing else speaks against it: a server is made to find out, which a preview never does.
  const { rooms, problems: notAsked } = pulumi.runtime.isDryRun()
    ? { rooms: {}, problems: [] }
    : await askRooms(deployed, plan.clusterName, changeWith, session);
  const change = changeWith(rooms);
  refuse([...notAsked, ...firstOfEach(room(change, { ...cloud, rooms }))]);
  if (!pulumi.runtime.isDryRun()) refuse(await addAddresses(plan, change, session));
  const nodeFiles = readNodeFiles();
  const summary = words(change, deployed, bundlesOf(plan, nodeFiles.sampleApp));
  if (summary.length > 0) void pulumi.log.info(`what this changes, by datacenter:\n${summary.join("\n")}`);

  const cluster = new Cluster("cluster", {
    plan,
    secrets,
    nodeFiles,
    change,
    begun: begin(plan, change, deployed, nodeFiles.sampleApp),
    mayDestroy: spec.mayDestroy,
  });
  const { vips, urls, servers, listeners, ssh } = describe(plan);
  return {
    /** VIPs by name and family. */
    vips,
    /** Where every service answers. */
    urls,
    /** Every server with its addresses. */
    servers,
    /** What haproxy listens on, on each load balancer, also where the VIP is not. */
    listeners,
    /** How to log in to each server; the key is the output `sshPrivateKey`. */
    ssh,
    sshPrivateKey: cluster.clientKey,
    /** Lines for known_hosts(5), so that no login has to trust blindly. */
    sshKnownHosts: cluster.knownHosts,
  };

  function refuse(found: readonly Problem[]): void {
    if (found.length > 0) throw new pulumi.RunError(formatProblems(found, `stack ${stack}`));
  }
};

/** The cloud that the OpenStack provider makes everything in. */
function session(): Promise<CloudSession> {
  return CloudSession.open(cloudAccess(cloudName(), process.env));
}

function cloudName(): { cloud?: string } {
  const cloud = new pulumi.Config("openstack").get("cloud");
  return cloud === undefined ? {} : { cloud };
}

function cutShort(begun: readonly string[], stack: string): string {
  const more = begun.length > 5 ? ` and ${begun.length - 5} more` : "";
  return `a run of this stack was cut while the cloud made ${begun.slice(0, 5).join(", ")}${more}: it may have them, and the state doesn't know. Nothing was changed. First: npm run recover -- run --stack ${stack}`;
}

/** Nothing is changed blindly. */
function unreadable(error: unknown): Deployed {
  throw new pulumi.RunError(
    `what stands can't be read from the state, so that nothing can be compared with it, and nothing was changed: ${error instanceof Error ? error.message : String(error)}`,
  );
}
