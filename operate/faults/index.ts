import type { Fault } from "./fault";
import { networkFaults } from "./network";
import { powerFaults } from "./power";
import { processFaults } from "./processes";

/** All faults, mild ones first. */
export const faults: readonly Fault[] = [...processFaults, ...powerFaults, ...networkFaults];

export function faultByName(name: string): Fault {
  const found = faults.find((fault) => fault.name === name);
  if (!found) throw new Error(`there is no fault ${name}; there are ${faults.map((fault) => fault.name).join(", ")}`);
  return found;
}
