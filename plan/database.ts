import { MOST_DATACENTERS, type Spec } from "../config/spec";
import { internalAddress } from "./addresses";
import type { DatabaseServer } from "./servers";

export interface DatabaseCluster {
  engine: "galera";
  /** Name of the Galera cluster, the same on every node. */
  name: string;
  /** Where the application finds it: the internal VIP. */
  address: string;
  port: number;
  /** Port of the service that says whether a node is synced. */
  statusPort: number;
  database: string;
  user: string;
  /**
   * Where a node that starts looks for the others: the places of all datacenters that there can be, so that one that comes
   * or goes changes nothing that would restart MariaDB.
   */
  places: string[];
  /** `name` and `segment` are Galera's for the node, for life: another one restarts it. By the slots of their datacenters; the first is the one that writes. */
  nodes: { id: string; hostname: string; name: string; segment: number; address: string }[];
}

/** MariaDB's own port on every node. */
export const MARIADB_PORT = 3306;

/** Group communication (TCP and UDP), incremental and full state transfer. */
export const GALERA_PORTS = { group: 4567, incremental: 4568, full: 4444 };

/** A stack whose machines are made always has one. */
export function databaseOf({ database }: { database?: DatabaseCluster }): DatabaseCluster {
  if (!database) throw new Error("this stack has no database: its machines exist, and somebody else runs them");
  return database;
}

export function planDatabase(spec: Spec, servers: DatabaseServer[]): DatabaseCluster {
  return {
    engine: spec.database.engine,
    name: spec.clusterName,
    address: spec.internal.vip,
    port: spec.database.port,
    statusPort: 9200,
    database: "app",
    user: "app",
    places: Array.from({ length: MOST_DATACENTERS }, (_, index) =>
      internalAddress(spec, "database", { slot: index + 1, row: 0 }),
    ),
    nodes: servers.map(({ id, hostname, datacenter, internal }) => ({
      id,
      hostname,
      name: `${spec.clusterName}-${id}`,
      segment: spec.datacenters.find(({ name }) => name === datacenter)!.slot,
      address: internal,
    })),
  };
}
