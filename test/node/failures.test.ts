import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../../operate/poll";
import { Asking, failsWith } from "./harness/asking";
import { edit } from "./harness/bundles";
import {
  Client,
  assertDone,
  bootPair,
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

before(async () => {
  site = Site.open();
  client = Client.on(site);
  ({ lb1, lb2 } = await bootPair(site));
});
after(() => site.close());

const asking = new Asking(() => client);

test("a listener that closes every connection is found out, and taken back", async () => {
  const mute = edit(files.lb1, "frontend http-in\n", "frontend http-in\n    tcp-request connection reject\n");
  await failsWith(
    lb1,
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
    lb1,
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
    lb1,
    "files",
    other,
    /203\.0\.113\.48 port 443 \(IPv4, https\): the certificate served is not the one in \/etc\/haproxy\/certs\/www\.pem/,
  );
});

test("a listener without TLS where there was to be some is found out", async () => {
  const plain = files.lb1.replaceAll(/443 transparent ssl .*/g, "443 transparent");
  await failsWith(lb1, "files", plain, /2001:db8:40::80 port 443 \(IPv6, https\): no TLS handshake/);
});

test("a certificate that does not match its key is refused", async () => {
  const [one, other] = await Promise.all([certificate(lb1, "one"), certificate(lb1, "two")]);
  const end = "-----END CERTIFICATE-----\n";
  const mixed = one.slice(0, one.indexOf(end) + end.length) + other.slice(other.indexOf(end) + end.length);
  await failsWith(lb1, "secrets", secretsWith(mixed), /haproxy refuses.*www\.pem/s);
});

test("a bad haproxy file and a bad keepalived file are refused", async () => {
  await failsWith(lb1, "files", edit(files.lb1, "mode http", "mode htpp"), /haproxy refuses/);
  await failsWith(lb1, "files", edit(files.lb1, "priority 128", "priorty 128"), /Unknown keyword 'priorty'/);
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
      await failsWith(lb1, "files", files.lb1.replaceAll("first", "second"), /no room: .*(.*\n)*.*KiB are left/);
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
  asking.excuse(({ began, ended }) => ended >= cut && began <= taken);
  await comesUpAsBefore();
});
