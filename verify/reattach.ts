import type { Fleet } from "../operate/fleet";
import { interruption } from "../operate/interruption";
import { until } from "../operate/poll";
import type { Stack } from "../operate/stack";
import { type Deployed, type DeployedMachine, readDeployed } from "./gather/deployed";
import { Nova } from "./gather/nova";
import { fleetOf, openCloud } from "./verify";

/** A server, and the ports that it should have, in the order of its interfaces. */
export interface Reattached {
  name: string;
  server: string;
  ports: readonly string[];
}

/** Longer than any server takes to boot, and to be asked. */
const BOOT_SECONDS = 300;

/**
 * The config drive of a server is as old as the server, and cloud-init fails at each boot because it misses the hardware address
 * of the port that was lost, although it is told to leave the network alone (stages.py, _find_networking_config): but for this file,
 * which has it not even read of networks.
 */
const LEAVES_NETWORKS_ALONE = `if [ -d /var/lib/cloud/data ]; then
    : >/var/lib/cloud/data/upgraded-network
    timeout 60 systemctl is-system-running --wait >/dev/null || :
    systemctl reset-failed cloud-init-local.service cloud-init.service 2>/dev/null || :
fi`;

/** Longer than Nova gives a server to stop by itself. */
const POWER_SECONDS = 300;

/**
 * Gives a server its ports back, while it is off: it finds all its interfaces under their first names when it starts, as
 * these follow from the order in which Nova has the ports. To a running one Nova adds a port behind the others, under the
 * next name that is free, and nobody would configure it. What is there and comes behind one that is missing is taken off for that.
 *
 * Cut anywhere, the next one goes on.
 *
 * @throws with the cloud's words; once it is off the server is started even so, with what it has
 */
export async function reattach(
  { name, server, ports }: Reattached,
  nova: Pick<Nova, "status" | "start" | "stop" | "portsOf" | "attach" | "detach">,
  every = 500,
): Promise<void> {
  const status = (wanted: string): Promise<string> =>
    until(
      `${name} to be ${wanted}`,
      () => nova.status(server),
      (is) => is === wanted,
      { seconds: POWER_SECONDS, every },
    );
  const there = (port: string, wanted: boolean): Promise<string[]> =>
    until(
      `port ${port} to ${wanted ? "come to" : "leave"} ${name}`,
      () => nova.portsOf(server),
      (all) => all.includes(port) === wanted,
      { every },
    );

  const now = await nova.status(server);
  if (now !== "ACTIVE" && now !== "SHUTOFF")
    throw new Error(`${name} is ${now}: it can be given a port only when it is ACTIVE or SHUTOFF`);
  if (now === "ACTIVE") await nova.stop(server);
  await status("SHUTOFF");
  try {
    const has = await nova.portsOf(server);
    const missing = ports.findIndex((port) => !has.includes(port));
    const behind = missing === -1 ? [] : ports.slice(missing);
    for (const port of behind) {
      if (!has.includes(port)) continue;
      await nova.detach(server, port);
      await there(port, false);
    }
    for (const port of behind) {
      await nova.attach(server, port);
      await there(port, true);
    }
  } finally {
    await nova.start(server);
  }
  await status("ACTIVE");
}

/**
 * Gives servers the ports that the state has for them, one after the other: each is back before the next is stopped, or has
 * failed, when a load balancer or an application server goes without.
 *
 * @throws when a port was not made after all, with the cloud's words, or when one is not reached afterwards
 */
export async function giveBack(stack: Stack, names: readonly string[]): Promise<void> {
  const deployed = await readDeployed(stack);
  const nova = new Nova(await openCloud(stack, deployed));
  const fleet = fleetOf(deployed);
  try {
    const failed: unknown[] = [];
    for (const name of names) {
      interruption.throwIfAborted();
      const machine = deployed.machines.find((each) => each.name === name)!;
      try {
        await reattach(withPorts(machine), nova);
        await until(
          `${name}, which has its ports again, to be reached`,
          () => reachedBy(fleet, name, deployed),
          (reached) => reached,
          { seconds: BOOT_SECONDS, every: 1000 },
        );
      } catch (error) {
        failed.push(error);
        // A database is stopped only while all others are there.
        if (machine.role === "database") break;
      }
    }
    if (failed.length > 0)
      throw new Error(failed.map((each) => (each instanceof Error ? each.message : String(each))).join("\n"));
  } finally {
    await fleet.close();
  }
}

function withPorts({ name, server, ports }: DeployedMachine): Reattached {
  const unknown = ports.filter(({ urn }) => urn === undefined).map((port) => port.name);
  if (server === undefined || unknown.length > 0)
    throw new Error(
      `${name} can't be given its ports: ${server === undefined ? "the server" : unknown.join(", ")} is not in Pulumi's state`,
    );
  return { name, server: server.id, ports: ports.map(({ id }) => id) };
}

/** By its own load balancer, or by another one where that is away. */
async function reachedBy(fleet: Fleet, name: string, { machines }: Deployed): Promise<boolean> {
  const others = machines.filter(({ role }) => role === "load-balancer").map((each) => ({ by: each.name }));
  for (const way of [{}, ...(fleet.jump(name) === undefined ? [] : others)]) {
    if ((await fleet.run(name, LEAVES_NETWORKS_ALONE, { seconds: 90, ...way })).code === 0) return true;
  }
  return false;
}
