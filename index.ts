import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster";
import { formatProblems } from "./config/problems";
import { keysInTheClear, readPulumiConfig } from "./config/pulumi";
import { load } from "./plan/load";
import { describe } from "./plan/describe";

const stack = pulumi.getStack();
const config = readPulumiConfig();
const { plan, secrets, problems } = load(config, stack);
const found = [...problems, ...keysInTheClear(config)];
if (!plan || found.length > 0) throw new pulumi.RunError(formatProblems(found, `stack ${stack}`));

const cluster = new Cluster("cluster", {
  plan,
  rootSecret: secrets.root,
  certificateKeys: secrets.certificateKeys,
});

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
