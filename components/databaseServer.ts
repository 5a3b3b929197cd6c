import * as pulumi from "@pulumi/pulumi";
import { databaseOf } from "../plan/database";
import type { PlannedDatabase } from "../plan/plan";
import { databaseFiles, databaseSecretFiles } from "../render/files";
import { internalServer, type InternalServerArgs } from "./internalServer";

/** One node of the Galera cluster. */
export class DatabaseServer extends pulumi.ComponentResource {
  /** Finished when this node is synced with the cluster. */
  readonly done: pulumi.Resource;

  constructor(name: string, args: InternalServerArgs<PlannedDatabase>, opts?: pulumi.ComponentResourceOptions) {
    super("ha-cluster:index:DatabaseServer", name, {}, opts);
    const { plan, secrets, founded } = args.context;
    const { machine, done } = internalServer(this, args, "database", {
      files: databaseFiles(plan, args.node),
      secrets: databaseSecretFiles(secrets.databasePassword(databaseOf(plan).user)),
      ...(args.node.founder && {
        founding: { name: "database-founding", script: "galera-founding.sh", what: "the cluster exists", founded },
      }),
    });
    this.done = done;
    this.registerOutputs({ serverId: machine.id, internal: args.node.internal });
  }
}
