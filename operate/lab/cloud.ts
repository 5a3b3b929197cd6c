import { run } from "../exec";
import { type Cloud, OpenStack } from "../faults/cloud";
import { LAB, type Lab } from "./lab";

/** Where the embedded cloud has its machines' cables (lab/README.md). */
const HYPERVISOR = "ha-lab-hv";

/**
 * The embedded cloud: as any OpenStack, but it can pull a plug and leave it pulled, and a frozen machine's kernel, which is
 * the host's, would go on answering pings and passing packets on: its cables are taken off for as long.
 */
export async function labCloud(lab: Lab): Promise<Cloud> {
  const nova = await OpenStack.open([LAB, "openstack"], { ...process.env, OS_CLOUD: `lab-${lab.project}` });
  const cables = new Map<string, Cable[]>();
  return {
    powerOff: async (machine) => {
      await lab.power(machine, "off");
    },
    powerOn: async (machine) => {
      await lab.power(machine, "on");
    },
    freeze: async (machine) => {
      const plugged = await cablesOf(lab, machine);
      cables.set(machine, plugged);
      await Promise.all(plugged.map(({ tap }) => ip("link", "set", tap, "nomaster")));
      await nova.freeze(machine);
    },
    thaw: async (machine) => {
      await nova.thaw(machine);
      for (const { tap, bridge } of cables.get(machine) ?? []) await ip("link", "set", tap, "master", bridge);
      cables.delete(machine);
    },
  };
}

interface Cable {
  tap: string;
  bridge: string;
}

async function cablesOf(lab: Lab, machine: string): Promise<Cable[]> {
  const ports = await lab.openstack<{ ID: string }[]>("port", "list", "--server", machine);
  return Promise.all(
    ports.map(async ({ ID }) => {
      const tap = `tap${ID.slice(0, 11)}`;
      const [link] = JSON.parse(await ip("-json", "link", "show", "dev", tap)) as { master: string }[];
      return { tap, bridge: link!.master };
    }),
  );
}

function ip(...args: string[]): Promise<string> {
  return run("ip", ["-netns", HYPERVISOR, ...args]);
}
