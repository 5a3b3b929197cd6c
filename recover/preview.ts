/** Environment variable of the preview by which `npm run recover` learns what a run would make: what is taken is what it looks for. */
export const RECOVERS = "HA_CLUSTER_RECOVERS";
