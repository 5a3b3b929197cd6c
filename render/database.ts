import type { DatabaseCluster } from "../plan/database";
import type { PlannedDatabase } from "../plan/plan";

/**
 * /etc/mysql/mariadb.conf.d/60-ha-cluster.cnf. The evs timings bring the write gap after losing the writer from 6 s to
 * under 3 s (Galera's parameter reference; suspect_timeout decides); the segment keeps traffic between datacenters low.
 */
export function renderGalera(cluster: DatabaseCluster, node: PlannedDatabase): string {
  const { name, segment } = cluster.nodes.find(({ id }) => id === node.id)!;
  const options = [
    `gmcast.segment=${segment}`,
    "evs.keepalive_period=PT0.3S",
    "evs.inactive_check_period=PT0.3S",
    "evs.suspect_timeout=PT1.5S",
    "evs.inactive_timeout=PT4S",
    "evs.install_timeout=PT4S",
  ];
  return `[mysqld]
bind-address = ${node.internal}
default_storage_engine = InnoDB
binlog_format = ROW
innodb_autoinc_lock_mode = 2
skip-name-resolve

[galera]
wsrep_on = ON
wsrep_provider = /usr/lib/galera/libgalera_smm.so
wsrep_cluster_name = ${cluster.name}
wsrep_cluster_address = gcomm://${cluster.places.join(",")}
wsrep_node_address = ${node.internal}
wsrep_node_name = ${name}
wsrep_sst_method = rsync
wsrep_provider_options = "${options.join(";")}"
`;
}

/** What the node's scripts must know; nothing here says who founds the cluster, as a machine made anew gets the same. */
export function renderGaleraFacts(cluster: DatabaseCluster, node: PlannedDatabase): string {
  return `NODE=${node.internal}
NODES="${cluster.nodes.map((each) => each.address).join(" ")}"
DATABASE=${cluster.database}
DATABASE_USER=${cluster.user}
`;
}

/** haproxy asks this socket whether the node is synced: a node that is not takes connections and then errors (1047). */
export function renderStatusSocket(cluster: DatabaseCluster, node: PlannedDatabase): string {
  return `[Unit]
Description=Galera status for health checks

[Socket]
ListenStream=${node.internal}:${cluster.statusPort}
FreeBind=true
Accept=yes
MaxConnections=64
# By default systemd stops a socket for good that is asked more than 200 times in 2 s (systemd.socket(5)).
TriggerLimitIntervalSec=0

[Install]
WantedBy=sockets.target
`;
}

export function renderStatusService(script: string): string {
  return `[Unit]
Description=Galera status for health checks
# Several times a second: no trace of those that failed is kept, nor two lines in the journal of each.
CollectMode=inactive-or-failed

[Service]
User=mysql
LogLevelMax=notice
ExecStart=${script}
StandardInput=socket
StandardError=journal
TimeoutStartSec=10
RuntimeMaxSec=10
`;
}

/** Every start of MariaDB asks first whether it would give data up; as root, who may read and remove what is ha-cluster's own. */
export function renderGuardDropIn(script: string): string {
  return `[Service]
ExecStartPre=+${script} start
`;
}

/** At every boot, after MariaDB has started or given up; `simple`, so that the boot does not wait for the other nodes. */
export function renderBootService(script: string): string {
  return `[Unit]
Description=Return of this node to its Galera cluster
After=mariadb.service galera-status.socket
ConditionPathExists=/var/lib/ha-cluster/galera-joined

[Service]
ExecStart=${script}

[Install]
WantedBy=multi-user.target
`;
}
