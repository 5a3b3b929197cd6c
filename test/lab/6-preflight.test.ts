import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { LAB_PASSPHRASE, ROOT } from "../../operate/lab/places";
import { exec } from "../../operate/exec";
import type { Outputs } from "../../operate/fleet";
import { Stack } from "../../operate/stack";
import type { Finding } from "../../preflight/judge";
import { temporaryFolder } from "../support/folder";
import { cluster, INTERNAL_VIP, lab, open, stackFile, VIPS } from "./support";

/** A stack that calls the load balancers of this cluster hosts of somebody else. */
function existingStack({ servers, sshPrivateKey, sshKnownHosts }: Outputs): object {
  const hosts = cluster.loadBalancers.map((hostname) => {
    const { datacenter, external, internal } = servers[hostname]!;
    const line = sshKnownHosts.find((known) => known.split(" ")[0]!.split(",").includes(external!.ipv4))!;
    const hostKey = line.split(" ").slice(1, 3).join(" ");
    return [datacenter, { hostname, release: "debian-12", external, internal, user: "debian", hostKey }] as const;
  });
  const apps = cluster.appServers.map((name) => servers[name]!.internal);
  return {
    machines: { source: "existing", privateKey: sshPrivateKey, loadBalancers: Object.fromEntries(hosts) },
    datacenters: { dc1: {}, dc2: {}, dc3: {} },
    external: {
      ipv4: { cidr: "203.0.113.192/26", gateway: "203.0.113.193" },
      ipv6: { prefix: "2001:db8:46::/48", gateway: "2001:db8:46::1" },
      vipRanges: ["203.0.113.240/29", "2001:db8:46:67bb::/64"],
    },
    internal: { cidr: "198.51.100.128/25", vip: INTERNAL_VIP },
    vips: { www: { ...VIPS.www, primary: true } },
    services: { web: { http: 80, healthCheck: "/healthz" } },
    appServers: { app: { port: 8080, addresses: apps } },
    rootSecret: randomBytes(33).toString("base64"),
  };
}

describe("preflight", () => {
  const folder = temporaryFolder();
  const file = join(folder.path, "Pulumi.hosts.yaml");
  let stack: Stack;

  before(async () => {
    stack = await open(stackFile(), folder.path);
    const config = Object.entries(existingStack(await stack.outputs<Outputs>({ secrets: true })));
    const keys = Object.fromEntries(config.map(([key, value]) => [`ha-cluster:${key}`, value as unknown]));
    writeFileSync(file, stringify({ config: keys }), { mode: 0o600 });
    await Stack.open({ name: "hosts", configFile: file, state: folder.path, passphrase: LAB_PASSPHRASE });
  });
  after(() => folder.remove());

  async function preflight(): Promise<{ code: number; findings: Finding[] }> {
    const args = ["--import", "tsx", "cli/preflight.ts", "--stack", "hosts", "--config-file", file, "--json"];
    const env = { PULUMI_BACKEND_URL: `file://${folder.path}`, PULUMI_CONFIG_PASSPHRASE: LAB_PASSPHRASE };
    const result = await exec(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } });
    assert.ok(result.code < 2, result.stderr);
    return { code: result.code, findings: JSON.parse(result.stdout) as Finding[] };
  }

  test("has nothing to say of hosts that are ready", async () => {
    assert.deepEqual(await preflight(), { code: 0, findings: [] });
  });

  test("finds a VIP that the hypervisor forbids, VRRP that is filtered, and a backend that is away", async () => {
    const [victim, other] = cluster.loadBalancers as [string, string];
    const [app] = cluster.appServers as [string];
    const kept = Object.values(VIPS).flatMap((vip) => [vip.ipv4, vip.ipv6]);
    const pairs = kept
      .filter((address) => address !== VIPS.www.ipv6)
      .flatMap((address) => ["--allowed-address", `ip-address=${address}`]);
    // Its own rules stay; these come before them.
    const filter = `table inet ha_cluster_test {
      chain input { type filter hook input priority -10; ip6 nexthdr 112 drop; }
    }`;
    try {
      await lab.openstackDo("port", "set", "--no-allowed-address", ...pairs, `${victim}-external`);
      await lab.sshWithInput(other, "nft -f -", filter);
      await lab.on(app, "systemctl stop app");
      const { code, findings } = await preflight();
      assert.equal(code, 1);
      const said = findings.map(({ host, what }) => `${host} ${what}`).join("\n");
      assert.match(said, new RegExp(`^${victim} must not send from ${VIPS.www.ipv6} \\(external IPv6\\)`, "m"));
      assert.match(said, new RegExp(`^${victim} VRRP does not reach ${other} on the external IPv6 network`, "m"));
      assert.match(said, new RegExp(`^${victim} the backend .*:8080 does not answer it$`, "m"));
      assert.ok(findings.every(({ level, mend }) => level === "problem" && mend !== ""));
    } finally {
      await lab.on(app, "systemctl start app");
      await lab.ssh(other, "nft delete table inet ha_cluster_test");
      await stack.up(["--refresh"]);
    }
    assert.deepEqual(await preflight(), { code: 0, findings: [] });
    await cluster.master(cluster.addresses(["ipv4", "ipv6"]));
  });
});
