import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster";
import { formatProblem, formatProblems } from "./config/problems";
import { keysInTheClear, readPulumiConfig } from "./config/pulumi";
import { load } from "./plan/load";
import { describe } from "./plan/describe";

// @pulumi/pulumi notes a stack trace for every promise (runtime/debuggable.js), and mapping each frame of it to its source
// was a third of the time of a large cluster's preview. Three frames still say where a mistake is.
Error.stackTraceLimit = 3;

const stack = pulumi.getStack();
const config = readPulumiConfig();
const { plan, secrets, problems, warnings } = load(config, stack, new Date());
const found = [...problems, ...keysInTheClear(config)];
if (!plan || found.length > 0) throw new pulumi.RunError(formatProblems(found, `stack ${stack}`));
for (const warning of warnings) void pulumi.log.warn(formatProblem(warning));

const cluster = new Cluster("cluster", { plan, secrets });

const { vips, urls, servers, listeners, ssh } = describe(plan);

/** VIPs by name and family. */
export { vips };
/** Where every service answers. */
export { urls };
/** Every server with its addresses. */
export { servers };
/** What haproxy listens on, on each load balancer, also where the VIP is not. */
export { listeners };
/** How to log in to each server; the key is the output `sshPrivateKey`. */
export { ssh };
export const sshPrivateKey = cluster.clientKey;
/** Lines for known_hosts(5), so that no login has to trust blindly. */
export const sshKnownHosts = cluster.knownHosts;
