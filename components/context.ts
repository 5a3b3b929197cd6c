import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../plan/plan";
import type { Role } from "../plan/servers";
import type { DerivedSecrets } from "../secrets/derive";
import type { NodeFiles } from "../node/files";
import type { Networks } from "./openstack/networks";
import type { SecurityGroups } from "./openstack/securityGroups";

/** What every server of a cluster shares. */
export interface Context {
  plan: Plan;
  secrets: DerivedSecrets;
  nodeFiles: NodeFiles;
  networks: Networks;
  securityGroups: SecurityGroups;
  /** Name of the key pair in Nova. */
  keyPair: pulumi.Output<string>;
  serverGroups: Record<Role, pulumi.Output<string>>;
  /** The operator's private key, marked secret. */
  clientKey: pulumi.Output<string>;
}

/** What has to be done before a server may be touched. */
export type Gate = pulumi.Resource[];
