/** What everything of a customer's in Neutron has as its description, or as the beginning of it: whose it is, if a state is lost. */
export function markOf(customer: string): string {
  return `ha-cluster ${customer}`;
}

/** In a server's metadata, the customer. */
export const CUSTOMER = "ha-cluster-customer";

/** Environment variable of the preview by which `npm run recover` learns what a run would make: what is taken is what it looks for. */
export const RECOVERS = "HA_CLUSTER_RECOVERS";
