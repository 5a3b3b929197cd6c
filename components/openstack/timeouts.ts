/**
 * For what Neutron does in seconds. The provider's own 10 minutes are a silent wait for somebody who has to look: a network
 * or security group can't go as long as a port uses it.
 */
export const SOON = { create: "2m", delete: "2m" };
