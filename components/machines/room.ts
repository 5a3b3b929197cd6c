import { setTimeout as sleep } from "node:timers/promises";
import * as openstack from "@pulumi/openstack";
import type { Change } from "../../change/change";
import { BY_WAY_OF, zoneOf } from "../../change/checks/zones";
import type { Deployed } from "../../change/deployed";
import { roomOf, type Rooms, type Step } from "../../change/route";
import type { Problem } from "../../config/problems";
import { listNames } from "../../config/shape/words";
import type { CloudSession } from "../../verify/gather/cloud";
import { probesOf, type Server } from "../../verify/gather/nova";

/** From here on Nova makes servers without a port, and says so in `networks`. */
const PORTLESS = "2.37";

/** Long enough for a hypervisor that has to fetch the image first. */
const PATIENCE = 600_000;

/** What Nova says where its scheduler, or the hypervisor that it chose, found no place. */
const NO_ROOM = /no valid host|affinity/i;

/**
 * Whether zones have room for the moves that need it. No tenant may list hypervisors, and their number would not say whether one
 * is full: so a server like the one that is to move is made there, in its server group and without a port, and deleted again
 * when all is known, as one hypervisor may have to take servers of both kinds. Nobody else is touched, and nothing has been yet.
 * What a run left that was killed goes first; `npm run verify` tells of it too.
 *
 * @param changeWith the change as it is by the answers so far
 * @param open logs in to the cloud, if there is anything to ask
 */
export async function askRooms(
  { serverGroups }: Pick<Deployed, "serverGroups">,
  clusterName: string,
  changeWith: (rooms: Rooms) => Pick<Change, "route" | "images">,
  open: () => Promise<CloudSession>,
  pause = 1000,
): Promise<{ rooms: Rooms; problems: Problem[] }> {
  const rooms: Record<string, boolean> = {};
  const stopped = new AbortController();
  // Ctrl-C reaches this process too, and would leave the server behind.
  const stop = (): void => {
    stopped.abort();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, stop);
  let step: Step | undefined;
  let prober: Prober | undefined;
  try {
    for (;;) {
      const { route, images } = changeWith(rooms);
      step = route.unasked[0];
      if (step === undefined) break;
      const { role, image, flavor } = step.planned;
      const group = serverGroups[role];
      if (group === undefined) throw new Error(`the state has no server group of kind ${role}`);
      const { id: flavorId } = await openstack.compute.getFlavor({ name: flavor! });
      prober ??= await Prober.start(await open(), clusterName, pause, stopped.signal);
      rooms[roomOf(step.planned)] = await prober.takes(step, { group, image: images[image!]!, flavor: flavorId });
    }
    await prober?.clear();
    return { rooms, problems: [] };
  } catch (error) {
    await prober?.clear().catch(() => undefined);
    return { rooms, problems: step ? [unasked(step, error)] : [] };
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

function unasked({ planned, beside }: Step, error: unknown): Problem {
  return {
    path: zoneOf(planned),
    cause: `would move ${planned.id} to ${planned.availabilityZone} beside ${listNames(beside)}, and whether it has room there can't be asked: ${error instanceof Error ? error.message : String(error)}`,
    mend: `mend what that says; or ${BY_WAY_OF}`,
  };
}

class Prober {
  constructor(
    private readonly session: CloudSession,
    private readonly clusterName: string,
    private readonly pause: number,
    private readonly stopped: AbortSignal,
  ) {}

  static async start(...args: ConstructorParameters<typeof Prober>): Promise<Prober> {
    const prober = new Prober(...args);
    await prober.clear();
    return prober;
  }

  /** Whether there is room beside those that have found some before: they stay until {@link clear}. */
  async takes({ planned }: Step, { group, image, flavor }: Record<"group" | "image" | "flavor", string>) {
    const server = {
      name: `${planned.hostname}-room`,
      imageRef: image,
      flavorRef: flavor,
      availability_zone: planned.availabilityZone,
      networks: "none",
      metadata: probesOf(this.clusterName).metadata,
    };
    const body = { server, "os:scheduler_hints": { group } };
    const made = await this.session.call("compute", "servers", "POST", { body, microversion: PORTLESS });
    return await this.fate(((await made.json()) as { server: { id: string } }).server.id);
  }

  private async fate(id: string): Promise<boolean> {
    for (const end = Date.now() + PATIENCE; Date.now() < end;) {
      if (this.stopped.aborted) throw new Error("interrupted");
      const { server } = await this.session.read<{ server: Server }>("compute", `servers/${id}`);
      if (server.status === "ACTIVE") return true;
      if (server.status !== "ERROR") {
        await sleep(this.pause);
        continue;
      }
      const why = server.fault?.message ?? "no reason given";
      if (NO_ROOM.test(why)) return false;
      throw new Error(`the server that was made to find out is in ERROR: ${why}`);
    }
    throw new Error(`the server that was made to find out was not there after ${PATIENCE / 60_000} minutes`);
  }

  /** Deletes whatever was made to ask, also where the answer to its creation never came; it has to be gone to give its place up. */
  async clear(): Promise<void> {
    const { path, are } = probesOf(this.clusterName);
    const asked = new Set<string>();
    for (const end = Date.now() + PATIENCE; Date.now() < end;) {
      const { servers } = await this.session.read<{ servers: Server[] }>("compute", path);
      const left = servers.filter(are);
      if (left.length === 0) return;
      for (const { id } of left.filter((each) => !asked.has(each.id))) {
        asked.add(id);
        await this.session.call("compute", `servers/${id}`, "DELETE");
      }
      await sleep(this.pause);
    }
    throw new Error(`a server that was made to find out can't be deleted: \`openstack server list --name '-room$'\``);
  }
}
