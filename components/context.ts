import type * as pulumi from "@pulumi/pulumi";
import type { NodeFiles } from "../node/files";
import type { Change } from "../change/change";
import type { Plan } from "../plan/plan";
import type { DerivedSecrets } from "../secrets/derive";
import type { MachineSource } from "./machines/machine";

/** What every server of a cluster shares. */
export interface Context {
  plan: Plan;
  secrets: DerivedSecrets;
  nodeFiles: NodeFiles;
  machines: MachineSource;
  change: Change;
  /** A database of this stack was pushed to before, so that its cluster exists and no machine may found one. */
  founded: boolean;
}

/** What has to be done before a server may be touched. */
export type Gate = pulumi.Resource[];
