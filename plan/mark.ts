import type { Plan } from "./plan";

/** In a server's metadata, whose it is; see {@link whose}. */
export const CUSTOMER = "ha-cluster-customer";

/** In the metadata of a server that was found in the cloud and taken into the state; see recover/. */
export const ADOPTED = "ha-cluster-adopted";

/** In the state, of a resource that was taken into it, until it was read from the cloud. */
export const HALF_RECOVERED = "npm run recover -- run did not come to its end";

/** Two clusters of a customer may share a project, and then all names that don't have the cluster's. */
export function whose({ customer, clusterName }: Pick<Plan, "customer" | "clusterName">): string {
  return clusterName === customer ? customer : `${customer} (${clusterName})`;
}

/** What everything of a cluster's in Neutron has as its description, or as the beginning of it, from the moment it is there. */
export function markOf(plan: Pick<Plan, "customer" | "clusterName">): string {
  return `ha-cluster ${whose(plan)}`;
}
