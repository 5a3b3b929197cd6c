import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Asking, failsWith } from "./harness/asking";
import { edit } from "./harness/bundles";
import { Client, assertDone, bootPair, certificate, files, secretsWith } from "./harness/load-balancers";
import type { Machine } from "./harness/machine";
import { Site } from "./harness/site";

/* Certificates that come, go and get other names, while a client asks all the time. */

let site: Site;
let lb1: Machine;
let client: Client;
let secrets: string;

before(async () => {
  site = Site.open();
  client = Client.on(site);
  let pem: string;
  ({ lb1, pem } = await bootPair(site));
  secrets = secretsWith(pem);
});
after(() => site.close());

new Asking(() => client);

const CERTS = "ls /etc/haproxy/certs";

/** lb1 has a further certificate, for those who ask by that name. */
async function servesFurther(name: string): Promise<void> {
  const further = `==> /etc/haproxy/certs/${name}.pem 0600 root:root\n${await certificate(lb1, name)}\n==> end`;
  assertDone(await lb1.push("load-balancer", "secrets", edit(secrets, "==> end", further)));
  assertDone(await lb1.push("load-balancer", "files", filesWith(name)));
}

const filesWith = (name: string): string =>
  files.lb1.replaceAll("certs/www.pem alpn", `certs/www.pem crt /etc/haproxy/certs/${name}.pem alpn`);

test("a certificate that goes with its service stays until the service is gone, and no longer", async () => {
  await servesFurther("old");
  const result = await lb1.push("load-balancer", "secrets", secrets);
  assertDone(result);
  assert.doesNotMatch(result.stdout, /handover|reloaded/);
  assert.equal(await lb1.output(CERTS), "old.pem\nwww.pem");
  assert.equal(await lb1.output("grep -c old.pem /var/lib/ha-cluster/owned/secrets || :"), "0");

  // Meanwhile a push that fails returns to files that name it.
  const mute = edit(files.lb1, "frontend http-in\n", "frontend http-in\n    tcp-request connection reject\n");
  await failsWith(lb1, "files", mute, /no HTTP answer/, /previous files are back and applied/);
  assert.equal(await lb1.output(CERTS), "old.pem\nwww.pem");

  // Nor is it lost when one is killed that has removed it.
  const killer = `while [ -e /etc/haproxy/certs/old.pem ]; do sleep 0.05; done
    kill -KILL $(pgrep -o -f 'bin/[s]h /opt/ha-cluster/push.sh')`;
  const [killed] = await Promise.all([lb1.push("load-balancer", "files", files.lb1), lb1.output(killer)]);
  assert.notEqual(killed.code, 0);
  assert.match((await lb1.push("load-balancer", "files", filesWith("old"))).stdout, /nothing to change/);
  assert.equal(await lb1.output(CERTS), "old.pem\nwww.pem");

  const done = await lb1.push("load-balancer", "files", files.lb1);
  assertDone(done);
  assert.match(done.stdout, /removed \/etc\/haproxy\/certs\/old\.pem/);
  assert.equal(await lb1.output(CERTS), "www.pem");
  for (const [bundle, text] of [
    ["secrets", secrets],
    ["files", files.lb1],
  ] as const) {
    assert.match((await lb1.push("load-balancer", bundle, text)).stdout, /nothing to change/);
  }
});

test("a certificate gets another name, and its first one back", async () => {
  const renamed = (text: string): string => text.replaceAll("certs/www.pem", "certs/renamed.pem");
  for (const [bundles, names] of [
    [[renamed(secrets), renamed(files.lb1)], "renamed.pem"],
    [[secrets, files.lb1], "www.pem"],
  ] as const) {
    assertDone(await lb1.push("load-balancer", "secrets", bundles[0]));
    assert.equal(await lb1.output(CERTS), "renamed.pem\nwww.pem");
    assertDone(await lb1.push("load-balancer", "files", bundles[1]));
    assert.equal(await lb1.output(CERTS), names);
  }
});

test("a certificate that comes back before its service went is kept, one that nobody names goes at once", async () => {
  await servesFurther("further");
  assertDone(await lb1.push("load-balancer", "secrets", secrets));
  await servesFurther("further");
  assert.match(await lb1.output("cat /var/lib/ha-cluster/owned/secrets"), /further\.pem/);
  assertDone(await lb1.push("load-balancer", "files", files.lb1));
  assert.equal(await lb1.output(CERTS), "further.pem\nwww.pem");
  assertDone(await lb1.push("load-balancer", "secrets", secrets));
  assert.equal(await lb1.output(CERTS), "www.pem");
});
