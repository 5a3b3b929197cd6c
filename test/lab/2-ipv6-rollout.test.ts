import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Stack } from "../../operate/stack";
import { CERTIFICATE } from "../support/specs";
import { cluster, lab, open, stackFile, VIPS } from "./support";
import { temporaryFolder } from "../support/folder";

const BOTH = ["ipv4", "ipv6"] as const;

describe("the IPv6 rollout", () => {
  const folder = temporaryFolder();
  const caFile = join(folder.path, "ca.pem");
  let stack: Stack;

  before(async () => {
    writeFileSync(caFile, CERTIFICATE);
    stack = await open(stackFile(), folder.path);
  });
  after(() => folder.remove());

  test("`preview --diff` shows the very lines, dials no machine and changes nothing", async () => {
    const logins = async (): Promise<string> =>
      lab.on("test-lb-dc1", "journalctl --quiet --unit ssh --grep 'Accepted publickey for debian' | wc -l");
    const files = async (): Promise<string> =>
      lab.on("test-lb-dc1", "cat /etc/keepalived/keepalived.conf /etc/haproxy/haproxy.cfg /etc/network/interfaces");
    const [loginsBefore, filesBefore] = [await logins(), await files()];

    const { code, stdout } = await stack.preview(["--diff"]);
    assert.equal(code, 0, stdout);
    for (const line of [
      "vrrp_instance EXTERN6 {",
      "unicast_src_ip 2001:db8:46:b::1",
      `${VIPS.www.ipv6}/128 dev eth0`,
      `bind ${VIPS.www.ipv6}:80 transparent`,
      `bind ${VIPS.api.ipv6}:443 transparent ssl crt /etc/haproxy/certs/www.pem alpn h2,http/1.1`,
      "iface eth0 inet6 static",
      "address 2001:db8:46:b::1/48",
      "gateway 2001:db8:46::1",
    ]) {
      assert.ok(
        stdout.split("\n").some((each) => /^\s*\+/.test(each) && each.includes(line)),
        `a line added: ${line}`,
      );
    }
    for (const { ipv6 } of Object.values(VIPS))
      assert.match(stdout, new RegExp(`\\+ ipAddress *: "${ipv6}"`), "the pairs");

    assert.equal(await logins(), loginsBefore);
    assert.equal(await files(), filesBefore);
  });

  test("up", async () => {
    await stack.up();
  });

  for (const { url, family } of cluster.urls(BOTH)) {
    test(`${url} is answered by all application servers, with the client's address`, () =>
      cluster.answeredByAll(url, family, caFile));
  }

  test("both families and the gateway are on one load balancer", async () => {
    await cluster.master(cluster.addresses(BOTH));
  });

  test("haproxy listens on both families on every load balancer, without ip_nonlocal_bind", async () => {
    await cluster.listensEverywhere(BOTH);
  });

  test("the operating system has its own address and no VIP", async () => {
    for (const [index, name] of cluster.loadBalancers.entries()) {
      const interfaces = await lab.on(name, "cat /etc/network/interfaces");
      assert.ok(interfaces.includes(`2001:db8:46:${(11 + index).toString(16)}::1/48`));
      for (const vip of cluster.addresses(BOTH)) assert.ok(!interfaces.includes(vip));
    }
  });

  test("a second up has nothing to do, and the cloud has not drifted", async () => {
    await stack.up(["--expect-no-changes"]);
    const { code, stdout } = await stack.preview(["--refresh", "--expect-no-changes"]);
    assert.equal(code, 0, stdout);
  });
});
