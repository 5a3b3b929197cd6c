import { join } from "node:path";

export const ROOT = join(__dirname, "..", "..");

const LAB_STATE = process.env.HA_CLUSTER_LAB_STATE ?? "/var/lib/ha-cluster/lab";

/** State of the stacks whose cloud is the lab. It lies beside the lab's, and is of no use without it. */
export function stackState(name: string): string {
  return join(LAB_STATE, "..", `${name}-stack`);
}

/** The passphrase of stacks in the lab; what it protects is worth nothing. */
export const LAB_PASSPHRASE = "lab";
