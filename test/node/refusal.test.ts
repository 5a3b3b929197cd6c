import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { edit } from "./harness/bundles";
import { assertDone, assertRefused, certificate, files, footprint, secretsWith } from "./harness/load-balancers";
import type { Machine } from "./harness/machine";
import { Site } from "./harness/site";

let site: Site;
let lb2: Machine;

before(async () => {
  site = Site.open();
  lb2 = await site.boot("lb2", ["external", "internal"]);
  assertDone(await lb2.push("load-balancer", "secrets", secretsWith(await certificate(lb2, "www"))));
  assertDone(await lb2.push("load-balancer", "files", files.lb2));
});
after(() => site.close());

/** A push of `text` to lb2 must be refused with `words`, and leave everything as it was. */
async function refusedUntouched(bundle: "files" | "secrets", text: string, words: RegExp): Promise<void> {
  const before = await footprint(lb2);
  assertRefused(await lb2.push("load-balancer", bundle, text), words);
  assert.equal(await footprint(lb2), before);
  assert.equal(
    (await lb2.output("find /var/lib/ha-cluster ! -perm /077 -o ! -type d -perm /077 | grep -c . || :")) !== "",
    true,
  );
  assert.equal(
    await lb2.output("stat -c %a /var/lib/ha-cluster; ls /var/lib/ha-cluster/journal 2>&1 | grep -c 'No such'"),
    "700\n1",
  );
}

test("a bad haproxy.cfg is refused with haproxy's words and the real path", async () => {
  const bad = edit(files.lb2, "bind 203.0.113.48:80 transparent", "bind 203.0.113.48:80 transparant");
  await refusedUntouched("files", bad, /\[\/etc\/haproxy\/haproxy\.cfg:16\].*transparant/s);
  assert.match(await lb2.output("cat /var/lib/ha-cluster/refused/files/files/etc/haproxy/haproxy.cfg"), /transparant/);
});

test("a haproxy.cfg that only earns a warning is refused", async () => {
  await refusedUntouched("files", edit(files.lb2, "    timeout client 10s\n", ""), /missing timeouts for frontend/);
});

test("a bad keepalived.conf is refused with keepalived's words", async () => {
  await refusedUntouched(
    "files",
    edit(files.lb2, "priority 114", "priorty 114"),
    /keepalived\.conf.*Unknown keyword 'priorty'/,
  );
});

test("an include that is missing is refused, though keepalived -t exits with 0", async () => {
  const bad = files.lb2.replaceAll("password.conf", "pasword.conf");
  await refusedUntouched("files", bad, /files missing '\/etc\/keepalived\/pasword\.conf'/);
});

test("bad nftables rules, interfaces and units are refused", async () => {
  await refusedUntouched("files", edit(files.lb2, "policy drop", "policy dorp"), /nft refuses.*dorp/s);
  await refusedUntouched(
    "files",
    edit(files.lb2, "iface eth1 inet static", "iface eth1 inet statick"),
    /ifquery refuses.*interfaces/s,
  );
  await refusedUntouched(
    "files",
    edit(files.lb2, "/opt/ha-cluster/drop-vips.sh", "/opt/ha-cluster/no-such.sh"),
    /no-such\.sh/,
  );
});

test("a certificate that does not match its key is refused", async () => {
  const [one, other] = await Promise.all([certificate(lb2, "one"), certificate(lb2, "other")]);
  const end = "-----END CERTIFICATE-----\n";
  const mixed = one.slice(0, one.indexOf(end) + end.length) + other.slice(other.indexOf(end) + end.length);
  await refusedUntouched("secrets", secretsWith(mixed), /haproxy refuses.*www\.pem/s);
});

test("a daemon that quotes a secret is not quoted in turn", async () => {
  // assertRefused looks for the password.
  const bad = edit(secretsWith(await certificate(lb2, "www")), "auth_pass s3cr3tPW", "s3cr3tPW auth_pass");
  await refusedUntouched("secrets", bad, /Unknown keyword '\*\*\*'/);
  assert.doesNotMatch(await lb2.output("cat /var/lib/ha-cluster/refused/secrets/reason"), /s3cr3tPW/);
});

test("a bundle that was cut on its way is refused", async () => {
  const { length } = files.lb2;
  for (const end of [0, 1, Math.floor(length / 2), length - "==> end\n".length, length - 3]) {
    await refusedUntouched("files", files.lb2.slice(0, end), /cut on its way|want|==> end/);
  }
});

test("bad paths, modes and owners are refused", async () => {
  const one = (header: string) => `==> ${header}\ntext\n==> end\n`;
  for (const [header, words] of [
    ["etc/haproxy/haproxy.cfg 0644 root:root", /bad path/],
    ["/etc/../root/x 0644 root:root", /bad path/],
    ["/etc/haproxy/./x 0644 root:root", /bad path/],
    ["/usr/bin/x 0644 root:root", /bad path/],
    ["/etc/x 644 root:root", /bad mode/],
    ["/etc/x 0644 root", /bad owner/],
    ["/etc/x 0644 nobody-here:root", /no such owner/],
    ["/etc/x", /PATH MODE OWNER/],
    ["/etc/keepalived/password.conf 0600 root:root", /bundle secrets already/],
  ] as const) {
    await refusedUntouched("files", one(header), words);
  }
  assert.match((await lb2.push("web-server", "files", files.lb2)).stderr, /usage/);
});
