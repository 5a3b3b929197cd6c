import type { Deployed } from "./gather/deployed";
import type { Look } from "./checks/vrrp";

/** What is known of the data on one database server. */
export interface Copy {
  name: string;
  /** Whether the machine could be looked at. */
  seen: boolean;
  synced: boolean;
  /** Galera's id of the cluster whose data it has. */
  cluster?: string;
  /** How many nodes it writes together with. */
  size: number;
}

const NONE = /^[0-]*$/;

/** Of every database that ever got its configuration. */
export function copiesOf({ machines }: Deployed, looks: readonly Look[]): Copy[] {
  return machines
    .filter(({ role, commands }) => role === "database" && commands.config !== undefined)
    .map(({ name }) => {
      const galera = looks.find(({ machine }) => machine.name === name)?.facts.galera;
      const cluster = galera?.get("wsrep_cluster_state_uuid") ?? "";
      return {
        name,
        seen: galera !== undefined,
        synced:
          galera?.get("wsrep_local_state_comment") === "Synced" && galera.get("wsrep_cluster_status") === "Primary",
        ...(NONE.test(cluster) ? {} : { cluster }),
        size: Number(galera?.get("wsrep_cluster_size") ?? 0),
      };
    });
}

/** Why nobody but a person may choose whose data goes on; undefined where that is clear. */
export function doubt(copies: readonly Copy[]): string | undefined {
  if (copies.length === 0) return undefined;
  const synced = copies.filter((each) => each.synced);
  if (synced.length === 0)
    return copies.some(({ seen }) => seen) ? "no database is synced" : "no database can be asked";
  const clusters = [...new Set(copies.flatMap(({ cluster }) => cluster ?? []))];
  if (clusters.length > 1) {
    const held = clusters.map((id) => `${namesOf(copies.filter(({ cluster }) => cluster === id))} in ${id}`);
    return `the databases are in ${clusters.length} clusters: ${held.join("; ")}`;
  }
  // Every node of a component of n is 1/n of it. A node that joins is counted by some before others.
  const components = synced.reduce((sum, { size }) => sum + 1 / Math.max(size, 1), 0);
  if (components >= 1.5) return `databases write apart from each other: ${namesOf(synced)}`;
  return undefined;
}

function namesOf(copies: readonly Copy[]): string {
  return copies.map(({ name }) => name).join(", ");
}
