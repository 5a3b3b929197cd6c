import { certificatePath } from "../plan/haproxy";
import type { Plan, PlannedLoadBalancer } from "../plan/plan";
import { ROWS } from "../plan/releases";
import type { ConfigFile } from "./bundle";
import { PASSWORD_FILE } from "./keepalived";
import { loadBalancerStanzas, renderAddresses, renderStanzas } from "./network";

/** What is ours on a host that somebody else built: no firewall, no kernel settings, none of the interfaces that are there. */
const OURS = [
  "/etc/ha-cluster/listeners",
  "/etc/ha-cluster/networks",
  "/etc/ha-cluster/vips",
  "/etc/haproxy/haproxy.cfg",
  "/etc/keepalived/keepalived.conf",
  "/etc/systemd/system/keepalived.service.d/ha-cluster.conf",
];

const ADDRESSES = "/etc/ha-cluster/addresses";

/** A name without a dot: `source-directory` takes no other (interfaces(5)). */
export const OWN_INTERFACES = "/etc/network/interfaces.d/ha-cluster";

/**
 * The files of a load balancer that somebody else built.
 *
 * @param files all that a machine of our own would get
 */
export function existingFiles(plan: Plan, node: PlannedLoadBalancer, files: readonly ConfigFile[]): ConfigFile[] {
  const stanzas = node.configureIpv6
    ? loadBalancerStanzas(plan, node).filter(({ address }) => address === node.external.ipv6)
    : [];
  const text = (path: string, content: string): ConfigFile => ({ path, mode: "0644", text: content });
  return [
    ...files.filter(({ path }) => OURS.includes(path)),
    ...(stanzas.length > 0
      ? [text(ADDRESSES, renderAddresses(stanzas)), text(OWN_INTERFACES, renderStanzas(stanzas))]
      : []),
  ];
}

/** For node/adopt.sh: what the host has to be, what its daemons understand, and every path that will be ours. */
export function renderAdoption(plan: Plan, node: PlannedLoadBalancer): string {
  const { keepalived, haproxy } = ROWS[node.release];
  const yes = (value: boolean): string => (value ? "yes" : "no");
  const paths = [
    ...OURS,
    ...(node.configureIpv6 && node.external.ipv6 !== undefined ? [ADDRESSES, OWN_INTERFACES] : []),
    PASSWORD_FILE,
    ...plan.certificates.map(({ name }) => certificatePath(name)),
  ];
  return `RELEASE=${node.release}
KEEPALIVED_TEST=${yes(keepalived.configTest)}
KEEPALIVED_RELOAD=${yes(keepalived.reloadReport)}
HAPROXY_STRICT=${yes(haproxy.strictCheck)}
HAPROXY_MASTER=${yes(haproxy.masterSocket)}
${paths
  .sort()
  .map((path) => `OURS=${path}\n`)
  .join("")}`;
}
