import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { secured } from "../../harness/cluster";
import { fromClient, fromHost } from "../../harness/http";
import type { Stack } from "../../operate/stack";
import { CERTIFICATE } from "../support/specs";
import { CLIENT, cluster, INTERNAL_VIP, lab, open, stackFile, VIPS } from "./support";
import { temporaryFolder } from "../support/folder";

describe("`pulumi up` builds the cluster on IPv4", () => {
  const folder = temporaryFolder();
  const caFile = join(folder.path, "ca.pem");
  let stack: Stack;

  before(async () => {
    writeFileSync(caFile, CERTIFICATE);
    stack = await open(stackFile().withoutIpv6(), folder.path);
  });
  after(() => folder.remove());

  test("up", async () => {
    await stack.up();
  });

  test("one load balancer, one database and one application server in each zone", async () => {
    const servers = await lab.openstack<{ Name: string; Status: string; "Availability Zone": string }[]>(
      "server",
      "list",
      "--long",
    );
    assert.deepEqual(
      servers.map((each) => `${each["Availability Zone"]} ${each.Name} ${each.Status}`).sort(),
      ["dc1", "dc2", "dc3"].flatMap((zone) =>
        ["app", "db", "lb"].map((role) => `${zone} test-${role}-${zone}${role === "app" ? "-1" : ""} ACTIVE`),
      ),
    );
  });

  for (const { url, family } of cluster.urls(["ipv4"])) {
    test(`${url} is answered by all application servers, with the client's address`, () =>
      cluster.answeredByAll(url, family, caFile));
  }

  test("HTTPS speaks HTTP/2 and TLS 1.2 or newer", async () => {
    const url = `https://${VIPS.www.ipv4}/healthz`;
    const host = [
      "--silent",
      "--cacert",
      caFile,
      "--resolve",
      `www.example.com:443:${VIPS.www.ipv4}`,
      "--output",
      "/dev/null",
    ];
    const { stdout } = await lab.client(
      "curl",
      ...host,
      "--write-out",
      "%{http_version}",
      "https://www.example.com/healthz",
    );
    assert.equal(stdout, "2");
    const old = await lab.client("curl", ...host, "--tlsv1.1", "--tls-max", "1.1", "https://www.example.com/healthz");
    assert.notEqual(old.code, 0);
    assert.equal((await fromClient(lab, url, secured(url, caFile))).status, 200);
  });

  test("the host reaches the VIPs as the internet does", async () => {
    assert.equal((await fromHost(`http://${VIPS.www.ipv4}/healthz`)).status, 200);
  });

  test("a row written through one datacenter is read through another", async () => {
    await cluster.rowAcrossDatacenters("e2e");
  });

  test("a client can't pretend to be another", async () => {
    const spoofed = await fromClient(lab, `http://${VIPS.www.ipv4}/`, {
      headers: ["X-Real-IP: 192.0.2.1", "X-Forwarded-Proto: https"],
    });
    const { client } = JSON.parse(spoofed.body) as { client: { realIp: string; forwardedProto: string } };
    assert.equal(client.realIp, CLIENT.ipv4);
    assert.equal(client.forwardedProto, "http");
  });

  test("all VIPs are on one load balancer, the internal one too", async () => {
    await cluster.master(cluster.addresses(["ipv4"]));
  });

  test("Neutron holds each VIP, and gives it to nobody", async () => {
    for (const { ipv4 } of Object.values(VIPS)) {
      const { device_id: device, status } = await lab.openstack<{ device_id: string; status: string }>(
        ...["port", "show", `test-vip-${ipv4}`],
      );
      assert.deepEqual([device, status], ["", "DOWN"]);
      const other = ["port", "create", "--network", "external", "--fixed-ip", `ip-address=${ipv4}`, "other"];
      await assert.rejects(lab.openstackDo(...other), /409|IpAddressAlreadyAllocated|already allocated|in use/i);
    }
  });

  test("haproxy listens on every VIP on every load balancer, without ip_nonlocal_bind", async () => {
    await cluster.listensEverywhere(["ipv4"]);
  });

  test("the outputs say what haproxy listens on", async () => {
    const { listeners } = await stack.outputs<{ listeners: Record<string, string[]> }>();
    for (const name of cluster.loadBalancers) {
      for (const endpoint of [`${VIPS.www.ipv4}:80`, `${VIPS.api.ipv4}:443`, `${INTERNAL_VIP}:3306`]) {
        assert.ok(listeners[name]!.includes(endpoint), `${endpoint} of ${name}`);
      }
    }
  });

  test("no VIP is configured on the operating system", async () => {
    for (const name of cluster.loadBalancers) {
      const files = await lab.ssh(
        name,
        `grep --recursive --files-with-matches --fixed-strings ${VIPS.www.ipv4} /etc/network`,
      );
      assert.equal(files.stdout, "");
    }
  });

  test("the three databases are one cluster", async () => {
    for (const name of cluster.databases) {
      const status = await lab.on(
        name,
        `mariadb --skip-column-names --execute "show status like 'wsrep_cluster_size'"`,
      );
      assert.match(status, /\b3\b/);
    }
  });

  test("servers behind the load balancers reach the outside by the internal VIP", async () => {
    for (const name of ["test-app-dc1-1", "test-db-dc2"]) {
      assert.match(await lab.on(name, "ip route show default"), new RegExp(`via ${INTERNAL_VIP} `));
      await lab.on(name, `ping -c 3 -W 2 ${CLIENT.ipv4}`);
    }
  });

  test("nothing reaches the servers behind but by the load balancers", async () => {
    const direct = await lab.client("curl", "--silent", "--max-time", "2", "http://198.51.100.159:8080/healthz");
    assert.notEqual(direct.code, 0);
  });

  test("the exporter answers inside and not outside", async () => {
    const inside = await lab.on(
      "test-app-dc1-1",
      "curl --silent --max-time 5 http://198.51.100.139:8404/metrics | grep -c ^haproxy_",
    );
    assert.ok(Number(inside) > 10);
    const outside = await lab.client("curl", "--silent", "--max-time", "2", "http://203.0.113.203:8404/metrics");
    assert.notEqual(outside.code, 0);
  });

  test("a second up has nothing to do", async () => {
    await stack.up(["--expect-no-changes"]);
  });
});
