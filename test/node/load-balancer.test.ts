import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { edit } from "./harness/bundles";
import {
  Client,
  VIPS,
  assertDone,
  assertRefused,
  certificate,
  files,
  footprint,
  secretsWith,
  untilMaster,
  vips,
} from "./harness/load-balancers";
import type { Machine } from "./harness/machine";
import { until } from "../../operate/poll";
import type { Result } from "./harness/shell";
import { Site } from "./harness/site";

let site: Site;
let lb1: Machine, lb2: Machine;
let client: Client;
let secrets: string;

before(async () => {
  site = Site.open();
  client = Client.on(site);
  // On the first one haproxy already runs with Debian's own file, as after an installation by hand.
  [lb1, lb2] = await Promise.all([
    site.boot("lb1", ["external", "internal"], ["haproxy"]),
    site.boot("lb2", ["external", "internal"]),
  ]);
  secrets = secretsWith(await certificate(lb1, "www"));
});
after(() => site.close());

test("secrets come first to a fresh machine and reload nothing", async () => {
  const results = await Promise.all([lb1, lb2].map((each) => each.push("load-balancer", "secrets", secrets)));
  results.forEach(assertDone);
  assert.equal(
    await lb1.output("stat -c '%a %U' /etc/haproxy/certs /etc/haproxy/certs/www.pem /etc/keepalived/password.conf"),
    "700 root\n600 root\n600 root",
  );
  assert.equal(await lb2.output("systemctl is-active haproxy keepalived || :"), "inactive\ninactive");
});

test("a first push that fails leaves the machine as it was found, and reachable", async () => {
  // What cloud-init would have set.
  await lb2.output("ip addr add 203.0.113.34/27 dev eth0; ip route add default via 203.0.113.62");
  await lb2.output("systemd-run -q --unit=squatter python3 -m http.server -b 0.0.0.0 443");
  await until("the squatter listens", async () => (await lb2.output("ss -Hltn")).includes(":443"), Boolean, {
    seconds: 10,
  });
  const result = await lb2.push("load-balancer", "files", files.lb2);
  await lb2.output("systemctl stop squatter");
  assertRefused(result, /Address already in use(.*\n)*The previous files are back/);
  assert.match(await lb2.output("ip -o addr show eth0"), /203\.0\.113\.34\/27/);
  assert.doesNotMatch(await lb2.output("ip -o addr show"), /2001:db8|198\.51/);
  assert.match(await lb2.output("ip route"), /^default via 203\.0\.113\.62 dev eth0/);
  assert.equal(await lb2.output("systemctl is-active haproxy keepalived || :; nft list tables"), "inactive\ninactive");
  assert.equal(
    await lb2.output("ls /etc/ha-cluster /etc/keepalived/keepalived.conf 2>/dev/null || :"),
    "/etc/ha-cluster:",
  );
});

test("a fresh machine serves after its first push", async () => {
  await lb1.output("echo 'auto eth0' >/etc/network/interfaces.d/50-cloud-init");
  assertDone(await lb1.push("load-balancer", "files", files.lb1));
  await untilMaster(lb1);
  assertDone(await lb2.push("load-balancer", "files", files.lb2));
  assert.deepEqual(await vips(lb2), []);
  assert.equal(await client.get("http://203.0.113.48/"), "lb1: first");
  assert.equal(await client.get("http://[2001:db8:40::80]/"), "lb1: first");
  assert.equal(await client.get("https://203.0.113.48/"), "lb1: first, encrypted");
  // Bound also where the VIP is not, without ip_nonlocal_bind.
  assert.match(await lb2.output("ss -Hltn"), /203\.0\.113\.48:80 /);
  assert.equal(await lb2.output("cat /proc/sys/net/ipv4/ip_nonlocal_bind"), "0");
  assert.equal(
    await lb1.output("cat /proc/sys/net/ipv4/ip_forward; ip route show default"),
    "1\ndefault via 203.0.113.62 dev eth0",
  );
  assert.equal(await lb1.output("systemctl is-enabled haproxy keepalived nftables"), "enabled\nenabled\nenabled");
  assert.match(await lb1.output("nft list tables"), /table inet ha_cluster/);
  assert.equal(
    await lb1.output("ls /etc/network/interfaces.d; grep -c disabled /etc/cloud/cloud.cfg.d/99-ha-cluster-network.cfg"),
    "1",
  );
});

test("the same push again changes nothing", async () => {
  const before = await footprint(lb1);
  for (const [bundle, text] of [
    ["files", files.lb1],
    ["secrets", secrets],
  ] as const) {
    const result = await lb1.push("load-balancer", bundle, text);
    assertDone(result);
    assert.match(result.stdout, /nothing to change/);
  }
  assert.equal(await footprint(lb1), before);
});

test("a client that a new master has not met is answered before the kernel has a route for the VIP", async () => {
  const route = "local 2001:db8:40::80 dev eth0 table local proto kernel metric 0";
  await lb1.output(`ip -6 route del ${route}; ip -6 neigh flush to 2001:db8:40::90 dev eth0`);
  try {
    // Shorter than the second after which a neighbour is asked for again.
    assert.equal(await client.get("http://[2001:db8:40::80]/", 0.8), "lb1: first");
  } finally {
    await lb1.output(`ip -6 route add ${route}`);
  }
});

test("the relay outlives a restart of nftables, and a push finds out that somebody flushed it", async () => {
  const loaded = "nft list table inet ha_cluster_relay";
  await lb1.output("systemctl restart nftables");
  await until(
    "the relay's rules",
    () => lb1.run(loaded),
    ({ code }) => code === 0,
  );
  await lb1.output("nft delete table inet ha_cluster_relay");
  const result = await lb1.push("load-balancer", "files", files.lb1);
  assertDone(result);
  assert.match(result.stdout, /not in force.*\n.*\/etc\/ha-cluster\/relay\n(.*\n)*.*in force again/);
  await lb1.output(loaded);
});

test("the master hands over before it changes, and every request is answered", async () => {
  assert.deepEqual(await vips(lb1), VIPS);
  let stop = false;
  const answers: string[] = [];
  const requests = (async () => {
    while (!stop) answers.push(await client.get("http://203.0.113.48/"));
  })();
  const result = await lb1.push("load-balancer", "files", files.lb1.replaceAll("first", "second"));
  stop = true;
  await requests;
  assertDone(result);
  assert.match(result.stdout, /another load balancer took the VIPs/);
  assert.deepEqual([await vips(lb1), await vips(lb2)], [[], VIPS]);
  assert.equal(await lb1.output("ls /run/ha-cluster/maintenance 2>/dev/null || echo gone"), "gone");
  assert.deepEqual(
    answers.filter((answer) => !/^lb[12]: (first|second)$/.test(answer)),
    [],
  );
  assert.ok(answers.includes("lb1: first") && answers.includes("lb2: first"), answers.join());
});

test("it stays where it is: the one with the higher priority does not take it back", async () => {
  assert.equal(
    await lb2.output("cat /run/ha-cluster/group-VG_1; ls /run/ha-cluster/master"),
    "MASTER\n/run/ha-cluster/master",
  );
  const result = await lb1.push("load-balancer", "files", files.lb1);
  assertDone(result);
  assert.doesNotMatch(result.stdout, /handover/);
  assert.deepEqual(await vips(lb2), VIPS);
});

test("a port that is taken: everything goes back and serves as before", async () => {
  await lb1.output("systemd-run -q --unit=squatter python3 -m http.server -b 203.0.113.33 8080");
  await until("the squatter listens", async () => (await lb1.output("ss -Hltn")).includes(":8080"), Boolean, {
    seconds: 10,
  });
  const bad = edit(
    files.lb1,
    "    bind 203.0.113.48:80 transparent\n",
    "    bind 203.0.113.48:80 transparent\n    bind 203.0.113.33:8080\n",
  ).replaceAll("first", "never");
  const result = await lb1.push("load-balancer", "files", bad);
  assertRefused(result, /cannot bind socket \(Address already in use\) for \[203\.0\.113\.33:8080\]/);
  assert.match(result.stderr, /previous files are back and applied/);
  assert.equal(await lb1.output("grep -c never /etc/haproxy/haproxy.cfg || :"), "0");
  assert.match((await lb1.push("load-balancer", "files", files.lb1)).stdout, /nothing to change/);
  await lb1.output("systemctl stop squatter");
});

test("a haproxy that is stopped in its tracks is found out, and the VIPs move", async () => {
  assert.deepEqual(await vips(lb2), VIPS);
  const haproxy = await lb2.output("pgrep -x haproxy | tr '\\n' ' '");
  await lb2.output(`/opt/ha-cluster/check-haproxy.sh && kill -STOP ${haproxy}`);
  const started = Date.now();
  assert.equal((await lb2.run("/opt/ha-cluster/check-haproxy.sh")).code, 1);
  assert.ok(Date.now() - started < 2000);
  await untilMaster(lb1);
  assert.equal(await client.get("http://203.0.113.48/"), "lb1: first");
  await lb2.output(`kill -CONT ${haproxy} && /opt/ha-cluster/check-haproxy.sh`);
});

test("a killed keepalived leaves no VIP behind", async () => {
  assert.deepEqual(await vips(lb1), VIPS);
  // All at once: its parent would otherwise clean up after a child.
  await lb1.output("systemctl kill -s KILL keepalived");
  await until("lb1 has let go of the VIPs", async () => (await vips(lb1)).length === 0, Boolean, { seconds: 1 });
  await untilMaster(lb2);
  await until(
    "keepalived is back on lb1",
    async () => (await lb1.run("cat /run/ha-cluster/group-VG_1")).stdout === "BACKUP\n",
    Boolean,
    { seconds: 10 },
  );
  assert.deepEqual(await vips(lb2), VIPS);
});

test("an address that comes and goes is live at once, both ways", async () => {
  const more = edit(files.lb1, "eth1 198", "eth0 203.0.113.35/27 -\neth0 2001:db8:40::67/64 -\neth1 198");
  assertDone(await lb1.push("load-balancer", "files", more));
  assert.match(await lb1.output("ip -o addr show dev eth0"), /203\.0\.113\.35\/27(.*\n)*.*2001:db8:40::67\/64/);
  assertDone(await lb1.push("load-balancer", "files", files.lb1));
  assert.doesNotMatch(await lb1.output("ip -o addr show dev eth0"), /67\//);
  assert.match(
    await lb1.output("ip route; ip -6 route"),
    /default via 203\.0\.113\.62 (.*\n)*default via 2001:db8:40::94 /,
  );
});

test("of two pushes at once each is whole, one after the other", async () => {
  const [one, other] = await Promise.all(
    ["one", "other"].map((text) => lb1.push("load-balancer", "files", files.lb1.replaceAll("first", text))),
  );
  assertDone(one!);
  assertDone(other!);
  assert.match(
    await lb1.output("grep -o ': one.*\\|: other.*' /etc/haproxy/haproxy.cfg"),
    /^(: (one|other))".*\n\1, encrypted"$/,
  );
});

test("a push whose connection breaks comes to its end", async () => {
  const text = files.lb1.replaceAll("first", "alone");
  // Nobody reads what it says: its writes fail from the first line on.
  await lb1.run("/opt/ha-cluster/push.sh load-balancer files 2>&1 | :", text);
  await until(
    "the push has ended",
    async () => (await lb1.run("flock -n /var/lib/ha-cluster/lock true")).code === 0,
    Boolean,
    { seconds: 30 },
  );
  assert.match((await lb1.push("load-balancer", "files", text)).stdout, /nothing to change/);
});

/** A push of `text` to lb1, and `signal` to it as soon as haproxy.cfg is changed. */
async function interruptedPush(text: string, signal: string): Promise<Result> {
  const mark = /"lb1: (\w+)"/.exec(text)![1]!;
  const killer = `while ! grep -qs ${mark} /etc/haproxy/haproxy.cfg; do :; done; kill -${signal} $(pgrep -o -f 'bin/[s]h /opt/ha-cluster/push.sh')`;
  const [result] = await Promise.all([lb1.push("load-balancer", "files", text), lb1.output(killer)]);
  assert.notEqual(result.code, 0);
  return result;
}

test("a push that is told to stop takes everything back itself", async () => {
  const before = await lb1.output("cat /etc/haproxy/haproxy.cfg");
  const result = await interruptedPush(files.lb1.replaceAll("first", "stopped"), "TERM");
  assert.match(result.stderr, /stopped from outside(.*\n)*The previous files are back and applied/);
  assert.equal(await lb1.output("cat /etc/haproxy/haproxy.cfg"), before);
});

test("a push that was killed in mid-change is taken back by the next one, which converges", async () => {
  await interruptedPush(
    edit(files.lb1.replaceAll("first", "killed"), "eth1 198", "eth0 203.0.113.35/27 -\neth1 198"),
    "KILL",
  );
  await lb1.output("test -s /var/lib/ha-cluster/journal");

  assertDone(await lb1.push("load-balancer", "secrets", secrets));
  assert.equal(await lb1.output("ls -d /var/lib/ha-cluster/journal 2>/dev/null || :"), "");
  // The next one brings something else, and no trace of the killed one may stay: not its text, not its address.
  const result = await lb1.push("load-balancer", "files", files.lb1.replaceAll("first", "fourth"));
  assertDone(result);
  assert.match(result.stdout, /earlier push did not come to its end/);
  assert.doesNotMatch(await lb1.output("ip -o addr show; cat /etc/haproxy/haproxy.cfg"), /203\.0\.113\.35|killed/);
  assert.equal(
    await lb1.output("ls -d /var/lib/ha-cluster/journal /var/lib/ha-cluster/interrupted 2>/dev/null || :"),
    "",
  );
});
