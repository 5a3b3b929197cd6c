import type { Cluster } from "./cluster";

/** A load balancer's sync group has become what its notify script was told. */
export interface Transition {
  /** Milliseconds since the epoch; the lab's machines share one clock. */
  at: number;
  name: string;
  state: string;
}

/** What happened to a sync group in a stretch of time. */
export interface Mastership {
  transitions: Transition[];
  /** How often a load balancer became master. */
  handovers: number;
  /** Milliseconds for which more than one load balancer was master. */
  twoMasters: number;
}

/** What the load balancers' journals say since `begin` (milliseconds since the epoch), when `master` was the only one. */
export async function mastershipSince(cluster: Cluster, begin: number, master: string): Promise<Mastership> {
  const journals = await Promise.all(
    cluster.loadBalancers.map(async (name) => {
      const since = `journalctl -q -o short-unix -t ha-cluster --since @${Math.floor(begin / 1000)}`;
      const { code, stdout, stderr } = await cluster.lab.ssh(name, since);
      // Of one that left in that time nobody knows any more.
      if (code !== 0 && !stderr.includes("there is no server")) throw new Error(`${name}: ${stderr}`);
      return transitionsIn(name, stdout).filter(({ at }) => at >= begin);
    }),
  );
  return judge(
    journals.flat().sort((a, b) => a.at - b.at),
    master,
  );
}

/** The lines that notify.sh writes, e.g. `1763850000.123456 lb ha-cluster[1]: keepalived: GROUP VG_1 is now MASTER`. */
export function transitionsIn(name: string, journal: string): Transition[] {
  return [...journal.matchAll(/^(\d+\.\d+) .*: keepalived: GROUP \S+ is now (\S+)$/gm)].map(([, at, state]) => ({
    at: Number(at) * 1000,
    name,
    state: state!,
  }));
}

export function judge(transitions: readonly Transition[], master: string): Mastership {
  const masters = new Set([master]);
  let [handovers, twoMasters, since] = [0, 0, 0];
  for (const { at, name, state } of transitions) {
    if (masters.size > 1) twoMasters += at - since;
    since = at;
    if (state !== "MASTER") masters.delete(name);
    else if (!masters.has(name)) {
      masters.add(name);
      handovers++;
    }
  }
  return { transitions: [...transitions], handovers, twoMasters: Math.round(twoMasters) };
}
