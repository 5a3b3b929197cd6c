import * as pulumi from "@pulumi/pulumi";

/**
 * Stands before everything else when a cluster is destroyed. Pulumi deletes what others depend on after them, and refuses to
 * delete what is protected: as this depends on all that was made, `pulumi destroy` stops at it before anything is deleted,
 * with and without a preview. It is registered when all servers have joined, so that a first build that was cut short can
 * be destroyed. Protecting the servers themselves would not do: others go first, and a refusal comes too late.
 * For the same reason it is what notes that a run has come to its end; see change/rollout.ts.
 */
export class Protection extends pulumi.ComponentResource {
  constructor(
    name: string,
    { protect, everything, rollout }: { protect: boolean; everything: pulumi.Resource[]; rollout: number },
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("ha-cluster:index:Protection", name, {}, { ...opts, protect, dependsOn: everything });
    this.registerOutputs({ rollout });
  }
}
