import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { until } from "../../operate/poll";
import { edit } from "./harness/bundles";
import {
  Client,
  assertDone,
  assertRefused,
  certificate,
  files,
  secretsWith,
  untilMaster,
  VIPS,
  vips,
} from "./harness/load-balancers";
import type { Machine } from "./harness/machine";
import { Site } from "./harness/site";

/** What can go wrong in a push, while a client asks all the time: it must see nothing of it. */
let site: Site;
let lb1: Machine, lb2: Machine;
let client: Client;
let secrets: string;

before(async () => {
  site = Site.open();
  client = Client.on(site);
  [lb1, lb2] = await Promise.all([
    site.boot("lb1", ["external", "internal"]),
    site.boot("lb2", ["external", "internal"]),
  ]);
  secrets = secretsWith(await certificate(lb1, "www"));
  for (const machine of [lb1, lb2]) {
    assertDone(await machine.push("load-balancer", "secrets", secrets));
    assertDone(await machine.push("load-balancer", "files", machine === lb1 ? files.lb1 : files.lb2));
  }
  await untilMaster(lb1);
});
after(() => site.close());

/** A request under way from `began` until `ended`, ms since the epoch. */
interface Asked {
  url: string;
  began: number;
  ended: number;
  answer: string;
}

let asking: Promise<Asked[]>;
let enough = false;
let excused: (asked: Asked) => boolean;

async function ask(): Promise<Asked[]> {
  const all: Asked[] = [];
  while (!enough) {
    for (const url of ["http://203.0.113.48/", "https://[2001:db8:40::80]/"]) {
      const began = Date.now();
      const answer = await client.get(url, 10);
      all.push({ url, began, ended: Date.now(), answer });
    }
  }
  return all;
}

beforeEach(() => {
  enough = false;
  excused = () => false;
  asking = ask();
});
afterEach(async () => {
  enough = true;
  const all = await asking;
  const failed = all.filter(({ answer }) => !/^lb[12]: (first|second)(, encrypted)?$/.test(answer));
  assert.deepEqual(
    failed.filter((asked) => !excused(asked)),
    [],
    `of ${all.length} requests`,
  );
});

/** A refusal or a failure in these words; then the machine is as it was, and the next push brings what it shall. */
async function failsWith(bundle: "files" | "secrets", text: string, ...words: RegExp[]): Promise<void> {
  const state = "cat /etc/haproxy/haproxy.cfg; openssl x509 -in /etc/haproxy/certs/www.pem -noout -fingerprint";
  const was = await lb1.output(state);
  const result = await lb1.push("load-balancer", bundle, text);
  for (const each of words) assertRefused(result, each);
  assert.equal(await lb1.output(state), was);
  assert.equal(
    await lb1.output("ls /var/lib/ha-cluster/journal 2>/dev/null || :; systemctl is-active haproxy"),
    "active",
  );
}

test("a listener that closes every connection is found out, and taken back", async () => {
  const mute = edit(files.lb1, "frontend http-in\n", "frontend http-in\n    tcp-request connection reject\n");
  await failsWith(
    "files",
    mute.replace("first", "second"),
    /203\.0\.113\.48 port 80 \(IPv4, http\): no HTTP answer.*; before the push: 200/,
    /2001:db8:40::80 port 80 \(IPv6, http\)/,
    /previous files are back and applied/,
  );
});

test("a service without any server is taken back where there was an answer", async () => {
  const empty = files.lb1.replace(/ {4}http-request return status 200 .*\n/, "    default_backend none\n");
  await failsWith(
    "files",
    edit(empty, "frontend http-in\n", "backend none\n\nfrontend http-in\n"),
    /203\.0\.113\.48 port 80 \(IPv4, http\): 503; before the push: 200/,
  );
});

test("a listener that serves another certificate than its file is found out", async () => {
  const other = edit(
    files.lb1,
    "443 transparent ssl crt /etc/haproxy/certs/www.pem",
    "443 transparent ssl crt /etc/ssl/other.pem",
  );
  await lb1.output(`openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2 -subj /CN=other \
    -keyout /tmp/key -out /tmp/crt 2>/dev/null; cat /tmp/crt /tmp/key >/etc/ssl/other.pem`);
  await failsWith(
    "files",
    other,
    /203\.0\.113\.48 port 443 \(IPv4, https\): the certificate served is not the one in \/etc\/haproxy\/certs\/www\.pem/,
  );
});

test("a listener without TLS where there was to be some is found out", async () => {
  const plain = files.lb1.replaceAll(/443 transparent ssl .*/g, "443 transparent");
  await failsWith("files", plain, /2001:db8:40::80 port 443 \(IPv6, https\): no TLS handshake/);
});

test("a certificate that does not match its key is refused", async () => {
  const [one, other] = await Promise.all([certificate(lb1, "one"), certificate(lb1, "two")]);
  const end = "-----END CERTIFICATE-----\n";
  const mixed = one.slice(0, one.indexOf(end) + end.length) + other.slice(other.indexOf(end) + end.length);
  await failsWith("secrets", secretsWith(mixed), /haproxy refuses.*www\.pem/s);
});

test("a bad haproxy file and a bad keepalived file are refused", async () => {
  await failsWith("files", edit(files.lb1, "mode http", "mode htpp"), /haproxy refuses/);
  await failsWith("files", edit(files.lb1, "priority 128", "priorty 128"), /Unknown keyword 'priorty'/);
});

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
  await failsWith("files", mute, /no HTTP answer/, /previous files are back and applied/);
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

/** A small disk of its own over `folder`, with nothing but what is in it, and next to no room. */
async function fill(folder: string): Promise<void> {
  await lb1.output(`rm -rf /root/kept; cp -a ${folder} /root/kept; mount -t tmpfs -o size=6m,mode=0700 tmpfs ${folder}
    cp -a /root/kept/. ${folder}; dd if=/dev/zero of=${folder}/filler bs=1k count=5000 status=none`);
}

for (const folder of ["/var/lib/ha-cluster", "/etc/haproxy"]) {
  test(`with a full disk below ${folder} a push is refused, and says so`, async () => {
    await fill(folder);
    try {
      await failsWith("files", files.lb1.replaceAll("first", "second"), /no room: .*(.*\n)*.*KiB are left/);
    } finally {
      await lb1.output(`umount -l ${folder}`);
    }
    assertDone(await lb1.push("load-balancer", "files", files.lb1.replaceAll("first", "second")));
    assertDone(await lb1.push("load-balancer", "files", files.lb1));
  });
}

test("an operator's maintenance mark outlives every push", async () => {
  await lb1.output("touch /run/ha-cluster/maintenance");
  assertDone(await lb1.push("load-balancer", "files", files.lb1.replaceAll("first", "second")));
  assertDone(await lb1.push("load-balancer", "files", files.lb1));
  assert.equal(await lb1.output("stat -c %s /run/ha-cluster/maintenance"), "0");
  await lb1.output("rm /run/ha-cluster/maintenance");
});

async function bringVipsToLb1(): Promise<void> {
  await lb2.output("touch /run/ha-cluster/maintenance");
  await untilMaster(lb1);
  await lb2.output("rm /run/ha-cluster/maintenance");
}

test("an operator's mark in mid-push outlives that push", async () => {
  await bringVipsToLb1();
  const pushing = lb1.push("load-balancer", "files", files.lb1.replaceAll("first", "second"));
  const mark = "/run/ha-cluster/maintenance";
  await until(
    "the push's mark",
    () => lb1.run(`cat ${mark}`),
    ({ stdout }) => stdout === "set by a push\n",
    { every: 10 },
  );
  await lb1.output(`touch ${mark}`);
  const result = await pushing;
  assertDone(result);
  assert.match(result.stdout, /somebody touched .*so it stays/);
  assertDone(await lb1.push("load-balancer", "files", files.lb1));
  assert.equal(await lb1.output(`stat -c %s ${mark}`), "0");
  await lb1.output(`rm ${mark}`);
});

test("where the way back fails too, the machine stays marked until a push succeeds", async () => {
  await bringVipsToLb1();
  const folder = "/run/systemd/system/haproxy.service.d";
  const text = "[Service]\nExecReload=\nExecReload=/bin/false\n";
  await lb1.output(`mkdir ${folder}; printf '${text}' >${folder}/zz.conf; systemctl daemon-reload`);
  try {
    const failed = await lb1.push("load-balancer", "files", files.lb1.replaceAll("first", "second"));
    assertRefused(failed, /does not serve with them either(.*\n)*.*keeps the maintenance mark/);
    await untilMaster(lb2);
    assert.equal(await lb1.output("cat /run/ha-cluster/maintenance"), "set by a push");
  } finally {
    await lb1.output(`rm -r ${folder}; systemctl daemon-reload`);
  }
  assertDone(await lb1.push("load-balancer", "files", files.lb1));
  assert.equal(await lb1.output("ls /run/ha-cluster/maintenance /var/lib/ha-cluster/journal 2>/dev/null || :"), "");
});

/** Pushes other files to lb1, which has the VIPs, and pulls its plug once `ready`. */
async function cutInMidPush(ready: () => Promise<boolean>): Promise<void> {
  await bringVipsToLb1();
  const pushing = lb1.push("load-balancer", "files", files.lb1.replaceAll("first", "half"));
  await until("the moment to cut", ready, Boolean, { every: 10 });
  lb1.powerOff();
  assert.notEqual((await pushing).code, 0, "the push was over before the cut");
}

const isSwapped = async (): Promise<boolean> => (await lb1.run("grep -qs half /etc/haproxy/haproxy.cfg")).code === 0;

/** The new files are in place, and nobody asks lb1 any more. */
const hasHandedOver = async (): Promise<boolean> => {
  const connections = "ss -Htn state established '( sport = :80 or sport = :443 )'";
  return (await isSwapped()) && (await vips(lb2)).length === VIPS.length && (await lb1.output(connections)) === "";
};

async function comesUpAsBefore(): Promise<void> {
  await lb1.powerOn();
  await until(
    "lb1 stands by",
    () => lb1.run("cat /run/ha-cluster/group-VG_1; systemctl is-active ha-cluster-relay nftables haproxy"),
    ({ stdout }) => stdout === "BACKUP\nactive\nactive\nactive\n",
  );
  assert.equal(
    await lb1.output("grep -c half /etc/haproxy/haproxy.cfg || :; ls /var/lib/ha-cluster/journal 2>/dev/null || :"),
    "0",
  );
  assert.match(await lb1.output("journalctl -q -b -o cat -u ha-cluster-recover"), /did not come to its end/);
  assert.match((await lb1.push("load-balancer", "files", files.lb1)).stdout, /nothing to change/);
  await bringVipsToLb1();
  assert.equal(await client.get("http://203.0.113.48/", 10), "lb1: first");
}

test("a power cut in mid-push, after the handover: the machine comes up with the files from before", async () => {
  await cutInMidPush(hasHandedOver);
  await comesUpAsBefore();
});

test("a power cut in mid-push, before the handover, is felt as any other, and no longer", async () => {
  await cutInMidPush(isSwapped);
  const cut = Date.now();
  await untilMaster(lb2);
  const taken = Date.now();
  excused = ({ began, ended }) => ended >= cut && began <= taken;
  await comesUpAsBefore();
});
