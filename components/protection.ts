import * as pulumi from "@pulumi/pulumi";

/**
 * Stands before everything else when a cluster is destroyed. Pulumi deletes what others depend on after them, and refuses to
 * delete what is protected: as this depends on all that was made, `pulumi destroy` stops at it before anything is deleted,
 * with and without a preview. It is registered when all servers have joined, so that a first build that was cut short can
 * be destroyed. Protecting the servers themselves would not do: others go first, and a refusal comes too late.
 */
export class Protection extends pulumi.ComponentResource {
  constructor(
    name: string,
    { mayDestroy, everything }: { mayDestroy: boolean; everything: pulumi.Resource[] },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("ha-cluster:index:Protection", name, {}, { ...opts, protect: !mayDestroy, dependsOn: everything });
    this.registerOutputs({});
  }
}
