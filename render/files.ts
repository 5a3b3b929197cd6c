import { databaseOf } from "../plan/database";
import { certificatePath } from "../plan/haproxy";
import type { Plan, PlannedAppServer, PlannedDatabase, PlannedLoadBalancer } from "../plan/plan";
import { SCRIPTS } from "../plan/vrrp";
import {
  GUNICORN_SETTINGS,
  renderAppEnvironment,
  renderAppUnit,
  renderGunicorn,
  renderNeighbours,
  renderReleaseService,
  renderReleaseSocket,
} from "./app";
import { type ConfigFile, file } from "./bundle";
import {
  renderGalera,
  renderBootService,
  renderGaleraFacts,
  renderGuardDropIn,
  renderStatusService,
  renderStatusSocket,
} from "./database";
import { existingFiles } from "./existing";
import { renderHaproxy } from "./haproxy";
import { PASSWORD_FILE, renderKeepalived, renderVrrpPassword } from "./keepalived";
import {
  FORWARDING,
  internalStanzas,
  loadBalancerStanzas,
  renderAddresses,
  renderInterfaces,
  renderNetworks,
  renderVips,
} from "./network";
import { type Redirect, renderNftables } from "./nftables";
import { renderProbes } from "./probes";
import { RECOVER_SERVICE } from "./recover";
import { relayFiles } from "./relay";
import { updatesFiles } from "./updates";

/** Everything that ha-cluster puts on a load balancer, but for secrets. */
export function loadBalancerFiles(plan: Plan, node: PlannedLoadBalancer): ConfigFile[] {
  const stanzas = loadBalancerStanzas(plan, node);
  const binds = node.haproxy.frontends.flatMap((frontend) => frontend.binds);
  const { flows, masquerade } = plan.firewall;
  const [external, internal] = [node.externalInterface, node.internalInterface];
  const files = [
    file("/etc/network/interfaces", renderInterfaces(stanzas, plan.nameservers)),
    file("/etc/ha-cluster/addresses", renderAddresses(stanzas)),
    file("/etc/ha-cluster/vips", renderVips(node)),
    file("/etc/ha-cluster/networks", renderNetworks(node)),
    file(
      "/etc/ha-cluster/listeners",
      [...binds, node.haproxy.metrics].map(({ address, port }) => `${address} ${port}\n`).join(""),
    ),
    file("/etc/ha-cluster/probes", renderProbes(node.haproxy)),
    ...(plan.packages.length > 0 ? [file("/etc/ha-cluster/packages", renderPackages(plan))] : []),
    file("/etc/sysctl.d/50-ha-cluster.conf", FORWARDING),
    file(
      "/etc/nftables.conf",
      renderNftables(
        [
          { device: external, flows: flows["lb-external"] },
          { device: internal, flows: flows["lb-internal"] },
        ],
        { gateway: { internal, external, masquerade } },
      ),
    ),
    ...relayFiles(node.relay),
    file("/etc/systemd/system/ha-cluster-recover.service", RECOVER_SERVICE),
    file("/etc/keepalived/keepalived.conf", renderKeepalived(node.hostname, node.syncGroup)),
    file("/etc/systemd/system/keepalived.service.d/ha-cluster.conf", KEEPALIVED_DROP_IN),
    file("/etc/haproxy/haproxy.cfg", renderHaproxy(node.haproxy)),
    ...updatesFiles(),
  ];
  return node.host ? existingFiles(plan, node, files) : files;
}

/** Lines "NAME VERSION"; see node/push/packages.sh. */
function renderPackages(plan: Plan): string {
  return plan.packages.map(({ name, version }) => `${name} ${version}\n`).join("");
}

/** A keepalived that was killed leaves its VIPs behind, and they would answer beside the new master's. */
const KEEPALIVED_DROP_IN = `[Unit]
StartLimitIntervalSec=0

[Service]
ExecStartPre=${SCRIPTS}/drop-vips.sh
ExecStopPost=${SCRIPTS}/drop-vips.sh
Restart=on-failure
RestartSec=1
`;

export function databaseFiles(plan: Plan, node: PlannedDatabase): ConfigFile[] {
  return [
    ...internalServerFiles(plan, node, "database"),
    file("/etc/mysql/mariadb.conf.d/60-ha-cluster.cnf", renderGalera(databaseOf(plan), node)),
    file("/etc/ha-cluster/galera", renderGaleraFacts(databaseOf(plan), node)),
    file("/etc/systemd/system/mariadb.service.d/ha-cluster.conf", renderGuardDropIn(`${SCRIPTS}/galera-guard.sh`)),
    file("/etc/systemd/system/galera-status.socket", renderStatusSocket(databaseOf(plan), node)),
    file("/etc/systemd/system/galera-status@.service", renderStatusService(`${SCRIPTS}/galera-status.sh`)),
    file("/etc/systemd/system/galera-boot.service", renderBootService(`${SCRIPTS}/galera-boot.sh`)),
  ];
}

/**
 * @param sample the text of the application that answers until a release of the customer's is deployed
 * @param former ports by which somebody may still ask for it
 */
export function appServerFiles(
  plan: Plan,
  node: PlannedAppServer,
  sample: string,
  former: readonly number[] = [],
): ConfigFile[] {
  return [
    ...internalServerFiles(
      plan,
      node,
      "app",
      former.map((from) => ({ from, to: node.port })),
    ),
    file("/etc/systemd/system/app.service", renderAppUnit(node)),
    file(GUNICORN_SETTINGS, renderGunicorn()),
    file("/etc/ha-cluster/app.env", renderAppEnvironment(node, databaseOf(plan))),
    file("/srv/app/releases/sample/wsgi.py", sample),
    file("/etc/ha-cluster/neighbours", renderNeighbours(node)),
    file("/etc/systemd/system/app-release.socket", renderReleaseSocket(node)),
    file("/etc/systemd/system/app-release@.service", renderReleaseService(`${SCRIPTS}/give-release.sh`)),
  ];
}

function internalServerFiles(
  plan: Plan,
  node: PlannedDatabase | PlannedAppServer,
  zone: "database" | "app",
  redirects?: readonly Redirect[],
): ConfigFile[] {
  const stanzas = internalStanzas(plan, node);
  return [
    file("/etc/network/interfaces", renderInterfaces(stanzas, plan.nameservers)),
    file("/etc/ha-cluster/addresses", renderAddresses(stanzas)),
    file("/etc/nftables.conf", renderNftables([{ flows: plan.firewall.flows[zone] }], redirects && { redirects })),
    ...updatesFiles(),
  ];
}

/** What a load balancer must keep to itself. */
export function loadBalancerSecretFiles(plan: Plan, vrrpPassword: string, keys: Record<string, string>): ConfigFile[] {
  return [
    secret(PASSWORD_FILE, renderVrrpPassword(vrrpPassword)),
    ...plan.certificates.map(({ name, certificate }) =>
      secret(certificatePath(name), `${certificate.trimEnd()}\n${(keys[name] ?? "").trimEnd()}\n`),
    ),
  ];
}

export function databaseSecretFiles(password: string): ConfigFile[] {
  return [secret("/etc/ha-cluster/secrets/database", `DATABASE_PASSWORD=${password}\n`)];
}

export function appServerSecretFiles(password: string): ConfigFile[] {
  return [secret("/etc/ha-cluster/secrets/app.env", `DATABASE_PASSWORD=${password}\n`)];
}

function secret(path: string, text: string): ConfigFile {
  return { path, mode: "0600", text };
}
