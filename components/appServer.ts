import * as pulumi from "@pulumi/pulumi";
import { databaseOf } from "../plan/database";
import type { PlannedAppServer } from "../plan/plan";
import { appServerFiles, appServerSecretFiles } from "../render/files";
import { internalServer, type InternalServerArgs } from "./internalServer";

/** One application server. */
export class AppServer extends pulumi.ComponentResource {
  /** Finished when the application answers its health check. */
  readonly done: pulumi.Resource;

  constructor(name: string, args: InternalServerArgs<PlannedAppServer>, opts?: pulumi.ComponentResourceOptions) {
    super("ha-cluster:index:AppServer", name, {}, opts);
    const { plan, secrets, nodeFiles, change } = args.context;
    const { serversNamed } = args.node;
    const { machine, done } = internalServer(this, args, "app", {
      files: appServerFiles(plan, args.node, nodeFiles.sampleApp),
      secrets: appServerSecretFiles(secrets.databasePassword(databaseOf(plan).user)),
      ...(args.node.founder && {
        founding: {
          name: `${serversNamed}-founding`,
          script: "app-founding.sh",
          what: "the group has a release",
          founded: change.foundedGroups.includes(serversNamed),
        },
      }),
    });
    this.done = done;
    this.registerOutputs({ serverId: machine.id, internal: args.node.internal });
  }
}
