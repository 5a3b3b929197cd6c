import type { Problem } from "../../config/problems";
import type { Spec } from "../../config/spec";
import type { Plan } from "../plan";
import { checkAddresses } from "./addresses";
import { checkBackends } from "./backends";
import { checkCertificates, warnCertificates } from "./certificates";
import { checkFirewall } from "./firewall";
import { checkListeners } from "./listeners";
import { checkTimers, warnTimers } from "./timers";
import { checkVips } from "./vips";
import { checkVrrp } from "./vrrp";

/**
 * What only shows once there is a plan: clashes with the servers' addresses, and layers that do not agree. Each layer is
 * compared with the spec, not with the code that planned it, so that one mistake does not excuse the other.
 *
 * @param now moment that certificates must be valid at
 */
export function checkPlan(spec: Spec, planned: Plan, now: Date): Problem[] {
  return [
    ...checkAddresses(spec, planned),
    ...checkVips(spec, planned),
    ...checkVrrp(spec, planned),
    ...checkListeners(spec, planned),
    ...checkBackends(spec, planned),
    ...checkFirewall(spec, planned),
    ...checkCertificates(spec, planned, now),
    ...checkTimers(planned),
  ];
}

/** What works today, but should not be left as it is. */
export function warnPlan(spec: Spec, planned: Plan, now: Date): Problem[] {
  return [...warnCertificates(spec, planned, now), ...warnTimers(planned)];
}
