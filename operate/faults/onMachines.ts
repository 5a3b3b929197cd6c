import type { Fleet } from "../fleet";
import type { Fault, Field, Heal, Moments } from "./fault";
import { HOME, startScript, stopScript, type Scripts } from "./unit";

/** Seconds from asking until the fault begins, on all machines at once. */
const LEAD = 2.5;

interface Definition {
  name: string;
  does: string;
  kind: Fault["kind"];
  hits: (field: Field) => string[];
  /** What makes and what undoes it, in shell, for each machine that is hit. */
  scripts: (field: Field) => Promise<Map<string, Scripts>> | Map<string, Scripts>;
}

/** A fault that the machines make themselves, and end themselves. */
export function onMachines({ scripts, ...fault }: Definition): Fault {
  return {
    ...fault,
    async inject(field: Field, seconds: number): Promise<Heal> {
      const plan = await scripts(field);
      const at = Date.now() / 1000 + LEAD;
      const heal = once(() => undo(field.fleet, [...plan.keys()], at + seconds + 60));
      try {
        await Promise.all(
          [...plan].map(([machine, each]) =>
            field.fleet.must(machine, startScript(each, at, seconds), { seconds: 20 }),
          ),
        );
      } catch (error) {
        await heal().catch(() => undefined);
        throw error;
      }
      return heal;
    },
  };
}

/** The same for every machine that is hit. */
export function same(machines: readonly string[], scripts: Scripts): Map<string, Scripts> {
  return new Map(machines.map((machine) => [machine, scripts]));
}

/** Ends it on each machine as soon as that can be reached, and reads there when it began and ended. */
async function undo(fleet: Fleet, machines: readonly string[], deadline: number): Promise<Moments> {
  const all = await Promise.all(machines.map((machine) => undoOn(fleet, machine, deadline)));
  const moments = all.filter((each) => each !== undefined);
  if (moments.length < all.length) {
    const missing = machines.filter((_, index) => all[index] === undefined);
    throw new Error(`the fault never began on ${missing.join(", ")}: see journalctl -u ha-cluster-fault there`);
  }
  return {
    began: Math.min(...moments.map(({ began }) => began)),
    healed: Math.max(...moments.map(({ healed }) => healed)),
  };
}

async function undoOn(fleet: Fleet, machine: string, deadline: number): Promise<Moments | undefined> {
  for (;;) {
    const { code, stdout, stderr } = await fleet.run(machine, stopScript(), { seconds: 15 });
    if (code === 0) {
      const [began, healed] = stdout.trim().split(/\s+/).map(Number);
      return Number.isFinite(began) && Number.isFinite(healed) ? { began: began!, healed: healed! } : undefined;
    }
    if (Date.now() / 1000 > deadline)
      throw new Error(
        `${machine} can't be reached to end the fault, which should have ended by itself (${HOME}): ${stderr.trim()}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

function once<T>(action: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= action());
}
