import type { Cloud } from "./cloud";
import type { Fault, Field, Heal } from "./fault";

/** What happens to a whole machine; only the cloud below it can do that. */
export const powerFaults: Fault[] = [
  byCloud(
    "power-off",
    "the active load balancer loses its power",
    (cloud, machine) => cloud.powerOff(machine),
    (cloud, machine) => cloud.powerOn(machine),
  ),
  byCloud(
    "frozen",
    "the active load balancer freezes: it stops between two instructions, and goes on later as if nothing had been",
    (cloud, machine) => cloud.freeze(machine),
    (cloud, machine) => cloud.thaw(machine),
  ),
];

function byCloud(
  name: string,
  does: string,
  begin: (cloud: Cloud, machine: string) => Promise<void>,
  end: (cloud: Cloud, machine: string) => Promise<void>,
): Fault {
  return {
    name,
    does,
    kind: "crash",
    needs: "cloud",
    hits: ({ active }) => [active],
    async inject({ cloud, active }: Field): Promise<Heal> {
      if (!cloud) throw new Error(`${name} needs the cloud that runs ${active}: is its command line client set up?`);
      const began = Date.now();
      let healed: number | undefined;
      const heal: Heal = async () => {
        if (healed === undefined) await end(cloud, active);
        return { began, healed: (healed ??= Date.now()) };
      };
      try {
        await begin(cloud, active);
      } catch (error) {
        await heal().catch(() => undefined);
        throw error;
      }
      return heal;
    },
  };
}
