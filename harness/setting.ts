import { readStackFile } from "../config/file";
import { formatProblems } from "../config/problems";
import { Fleet } from "../operate/fleet";
import type { Setting } from "../operate/measure/conduct";
import { targetsOf, vipsOf } from "../operate/measure/targets";
import type { Stack } from "../operate/stack";
import { load } from "../plan/load";
import { labCloud } from "../operate/lab/cloud";
import { clientCommand, type Lab } from "../operate/lab/lab";

export interface LabSetting extends Setting {
  /** Seconds. */
  advertInterval: number;
}

/**
 * A stack in the embedded cloud, as faults are made in it and watched; its `fleet` is the caller's to close.
 *
 * @param configFile the stack's configuration
 * @param folder takes the certificates that clients trust
 */
export async function labSetting(stack: Stack, lab: Lab, configFile: string, folder: string): Promise<LabSetting> {
  const { raw, problems: unreadable } = readStackFile(configFile);
  const { plan, problems } =
    unreadable.length > 0 ? { problems: unreadable } : load(raw, stack.options.name, new Date());
  if (!plan) throw new Error(formatProblems(problems, configFile));
  const [fleet, cloud] = await Promise.all([Fleet.open(stack), labCloud(lab)]);
  return {
    fleet,
    cloud,
    vips: vipsOf(plan),
    targets: targetsOf(plan, folder),
    pings: [plan.external.ipv4.gateway, plan.internal.vip],
    via: clientCommand,
    advertInterval: plan.loadBalancers[0]!.syncGroup.instances[0]!.advertInterval,
  };
}
