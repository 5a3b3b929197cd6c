import type { DatabaseCluster } from "../plan/database";
import { RELEASE_PORT } from "../config/spec";
import type { PlannedAppServer } from "../plan/plan";

/** Where the running release is linked; a deployment switches the link and reloads app.service. */
export const CURRENT_RELEASE = "/srv/app/current";

/** systemd unit of the application; its HUP reload switches to another release without a failed request. */
export function renderAppUnit(app: PlannedAppServer): string {
  return `[Unit]
Description=Application (${app.runtime})
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
User=www-data
Group=www-data
EnvironmentFile=/etc/ha-cluster/app.env
EnvironmentFile=/etc/ha-cluster/secrets/app.env
ExecStart=${command(app.runtime)}
ExecReload=/bin/kill -HUP $MAINPID
KillMode=mixed
Restart=on-failure
PrivateTmp=true

[Install]
WantedBy=multi-user.target
`;
}

export const GUNICORN_SETTINGS = "/etc/gunicorn.conf.py";

/** gunicorn's settings, and what keeps one worker from accepting what only the other has time for. */
export function renderGunicorn(): string {
  return `import errno

from gunicorn.workers import gthread

# By default a worker whose threads are all busy, with downloads say, accepts 1,000 connections more, and answers none of
# them while the other worker is idle. No thread is left for idle ones; haproxy closes each after its answer.
workers = 2
threads = worker_connections = 4
keepalive = 0


def accept(worker, server, listener):
    """As gunicorn 20: a connection has a thread at once. Later ones wait for its first byte first, and a worker that has
    accepted as many as it may does not wait for anything but threads (gunicorn's issue 3146)."""
    try:
        connection, client = listener.accept()
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED):
            raise
        return
    worker.nr_conns += 1
    worker.enqueue_req(gthread.TConn(worker.cfg, connection, client, server))


gthread.ThreadWorker.accept = accept
`;
}

function command(runtime: PlannedAppServer["runtime"]): string {
  switch (runtime) {
    case "python":
      return `/usr/bin/gunicorn --config ${GUNICORN_SETTINGS} --chdir ${CURRENT_RELEASE} --bind \${LISTEN_ADDRESS}:\${LISTEN_PORT} wsgi:application`;
    default:
      return runtime satisfies never;
  }
}

/** Environment of the application, but for its password. */
export function renderAppEnvironment(app: PlannedAppServer, database: DatabaseCluster): string {
  return `LISTEN_ADDRESS=${app.internal}
LISTEN_PORT=${app.port}
SERVER_NAME=${app.hostname}
DATACENTER=${app.datacenter}
DATABASE_HOST=${database.address}
DATABASE_PORT=${database.port}
DATABASE_NAME=${database.database}
DATABASE_USER=${database.user}
`;
}

/** Internal addresses of the other servers of its group: who is asked for the running release, and who is given it. */
export function renderNeighbours(app: PlannedAppServer): string {
  return app.neighbours.map((address) => `${address}\n`).join("");
}

/** The limits keep askers that never come to their end from keeping the others away. */
export function renderReleaseSocket(app: PlannedAppServer): string {
  return `[Unit]
Description=Running release, for the other servers of the group

[Socket]
ListenStream=${app.internal}:${RELEASE_PORT}
FreeBind=true
Accept=yes
MaxConnections=32
MaxConnectionsPerSource=4
# By default systemd stops a socket for good that is asked more than 200 times in 2 s (systemd.socket(5)).
TriggerLimitIntervalSec=0

[Install]
WantedBy=sockets.target
`;
}

/** As root, who can read a release whoever owns its files; but it can do nothing else, and sees no secret. */
export function renderReleaseService(script: string): string {
  return `[Unit]
Description=Running release, for another server of the group
CollectMode=inactive-or-failed

[Service]
ExecStart=${script}
StandardInput=socket
StandardError=journal
RuntimeMaxSec=600
CapabilityBoundingSet=CAP_DAC_READ_SEARCH
NoNewPrivileges=true
ProtectSystem=strict
InaccessiblePaths=-/etc/ha-cluster/secrets
`;
}
