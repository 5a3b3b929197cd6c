import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../operate/exec";
import { until } from "../../operate/poll";
import { lab, VIPS } from "./support";

/** What somebody has done by hand, and where verify has to find it. */
export interface Drift {
  kind: string;
  where: string;
  make: () => Promise<unknown>;
  check: string;
  what: RegExp;
}

/**
 * @param master the load balancer that has the VIPs; the two others
 * @param folder gets the key of a certificate that is made, key.pem
 */
export function driftsOn(master: string, first: string, second: string, folder: string): Drift[] {
  return [
    {
      kind: "a line edited in haproxy.cfg",
      where: first,
      make: () => lab.on(first, "sed -i 's/timeout connect 3s/timeout connect 4s/' /etc/haproxy/haproxy.cfg"),
      check: "files",
      what: /haproxy\.cfg/,
    },
    {
      kind: "another mode of keepalived.conf",
      where: first,
      make: () => lab.on(first, "chmod 0666 /etc/keepalived/keepalived.conf"),
      check: "files",
      what: /keepalived\.conf/,
    },
    {
      kind: "a file removed",
      where: second,
      make: () => lab.on(second, "rm /etc/sysctl.d/50-ha-cluster.conf"),
      check: "files",
      what: /50-ha-cluster\.conf/,
    },
    {
      kind: "haproxy stopped",
      where: second,
      make: () => lab.on(second, "systemctl stop haproxy"),
      check: "daemons",
      what: /haproxy/,
    },
    {
      kind: "keepalived disabled",
      where: second,
      make: () => lab.on(second, "systemctl disable keepalived"),
      check: "daemons",
      what: /keepalived/,
    },
    {
      kind: "nftables flushed",
      where: "test-db-dc1",
      make: () => lab.on("test-db-dc1", "nft flush ruleset"),
      check: "firewall",
      what: /nftables/,
    },
    {
      kind: "the relay's rules deleted",
      where: second,
      make: () => lab.on(second, "nft delete table inet ha_cluster_relay"),
      check: "firewall",
      what: /nftables/,
    },
    {
      kind: "an allowed address pair removed",
      where: "cloud",
      make: () => {
        const kept = [VIPS.www.ipv4, VIPS.api.ipv4, VIPS.api.ipv6];
        const pairs = kept.flatMap((pair) => ["--allowed-address", `ip-address=${pair}`]);
        return lab.openstackDo("port", "set", "--no-allowed-address", ...pairs, `${master}-external`);
      },
      check: "cloud",
      what: new RegExp(`Port ${master.replace("test-", "")}-external allowedAddressPairs`),
    },
    {
      kind: "a rule of a security group removed",
      where: "cloud",
      make: async () => {
        const rules = await lab.openstack<{ ID: string; "Port Range": string; Ethertype: string }[]>(
          ...["security", "group", "rule", "list", "test-lb-external", "--protocol", "tcp"],
        );
        await lab.openstackDo(
          "security",
          "group",
          "rule",
          "delete",
          rules.find((rule) => rule["Port Range"] === "443:443" && rule.Ethertype === "IPv6")!.ID,
        );
      },
      check: "cloud",
      what: /SecGroupRule lb-external-ipv6-tcp-443/,
    },
    {
      kind: "a rule added to a security group",
      where: "cloud",
      make: () =>
        lab.openstackDo(
          "security",
          "group",
          "rule",
          "create",
          "--protocol",
          "tcp",
          "--dst-port",
          "8404",
          "test-lb-external",
        ),
      check: "cloud",
      what: /rule of security group test-lb-external/,
    },
    {
      kind: "ip_nonlocal_bind set",
      where: master,
      make: () => lab.on(master, "sysctl -w net.ipv4.ip_nonlocal_bind=1"),
      check: "network",
      what: /ip_nonlocal_bind/,
    },
    {
      kind: "a VIP added by hand on a backup",
      where: first,
      make: () => lab.on(first, `ip addr add ${VIPS.www.ipv4}/32 dev eth0`),
      check: "vrrp",
      what: new RegExp(VIPS.www.ipv4.replaceAll(".", "\\.")),
    },
    {
      kind: "a certificate replaced on the disk",
      where: first,
      make: async () => {
        const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
        await run("openssl", [
          ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"],
          ...["-subj", "/CN=www.example.com", "-keyout", key, "-out", certificate],
        ]);
        const pem = readFileSync(certificate, "utf8") + readFileSync(key, "utf8");
        const { code } = await lab.sshWithInput(first, "cat >/etc/haproxy/certs/www.pem", pem);
        assert.equal(code, 0);
      },
      check: "files",
      what: /www\.pem/,
    },
    {
      kind: "a maintenance mark forgotten",
      where: second,
      make: () => lab.on(second, "touch /run/ha-cluster/maintenance"),
      check: "vrrp",
      what: /maintenance/,
    },
    {
      kind: "an application stopped",
      where: "test-app-dc3-1",
      make: () => lab.on("test-app-dc3-1", "systemctl stop app"),
      check: "daemons",
      what: /app\.service/,
    },
    {
      kind: "a database stopped",
      where: "test-db-dc3",
      make: () => lab.on("test-db-dc3", "systemctl stop mariadb"),
      check: "galera",
      what: /MariaDB/,
    },
    {
      kind: "a script edited",
      where: "test-app-dc2-1",
      make: () => lab.on("test-app-dc2-1", "echo '# by hand' >>/opt/ha-cluster/validate.sh"),
      check: "files",
      what: /validate\.sh/,
    },
    {
      kind: "haproxy runs on another file than is on the disk",
      where: master,
      make: async () => {
        const edit = (from: number, to: number): string =>
          `sed -i 's/timeout connect ${from}s/timeout connect ${to}s/' /etc/haproxy/haproxy.cfg`;
        const worker = (): Promise<string> =>
          lab.on(master, "/opt/ha-cluster/ask.sh unix /run/haproxy/admin.sock 'show info' | grep ^Pid:");
        const old = await worker();
        await lab.on(master, `${edit(3, 5)} && systemctl reload haproxy`);
        await until("a worker with the edited file", worker, (pid) => pid !== old);
        await lab.on(master, edit(5, 3));
      },
      check: "daemons",
      what: /haproxy/,
    },
  ];
}
