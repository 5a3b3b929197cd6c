import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../../operate/poll";
import { App } from "./harness/app";
import { edit } from "./harness/bundles";
import {
  Client,
  assertDone,
  certificate,
  secretsWith,
  untilDrained,
  untilMaster,
  vips,
} from "./harness/load-balancers";
import type { Machine } from "./harness/machine";
import { IPV4_ONLY, RENDERED_APP, rendered, renderedBetween } from "./harness/rendered";
import { Site } from "./harness/site";

const URL = "http://203.0.113.48";
const VIPS = ["203.0.113.48", "198.51.100.200"];

let site: Site;
let lb1: Machine, lb2: Machine;
let client: Client;
let app: App;
const [files1, files2] = rendered(IPV4_ONLY);

before(async () => {
  site = Site.open();
  client = Client.on(site);
  app = await App.on(site, RENDERED_APP);
  [lb1, lb2] = await Promise.all([
    site.boot("lb1", ["external", "internal"]),
    site.boot("lb2", ["external", "internal"]),
  ]);
});
after(() => {
  app.stop();
  site.close();
});

async function untilServed(): Promise<void> {
  await until(
    `${URL} is served`,
    () => client.get(`${URL}/`),
    (body) => body === "served",
    { seconds: 60 },
  );
}

test("a cluster without a word of IPv6 serves after its first push", async () => {
  const secrets = secretsWith(await certificate(lb1, "www"));
  for (const [machine, files] of [
    [lb1, files1],
    [lb2, files2],
  ] as const) {
    assertDone(await machine.push("load-balancer", "secrets", secrets));
    assertDone(await machine.push("load-balancer", "files", files));
    await untilMaster(lb1, VIPS);
  }
  await untilServed();
  assert.equal(
    await lb1.output("ip -6 -o addr show scope global; ip -6 rule show pref 6801; ip -6 rule show pref 6802"),
    "",
  );
  assert.doesNotMatch(await lb1.output("nft list tables"), /ip6/);
});

test("its master hands over by a push, and a download under way comes through", async () => {
  const body = client.get(`${URL}/held`, 300);
  await until(
    "lb1 serves the download",
    () => lb1.output("ss -Htn state established src 203.0.113.48"),
    (shown) => shown !== "",
  );
  const result = await lb1.push("load-balancer", "files", edit(files1, "retries 3", "retries 2"));
  assertDone(result);
  assert.match(result.stdout, /another load balancer took the VIPs/);
  assert.deepEqual(await vips(lb1, VIPS), []);
  await untilMaster(lb2, VIPS);
  assert.equal(await client.get(`${URL}/release`), "released");
  const lines = (await body).trimEnd().split("\n");
  assert.deepEqual(lines, [...lines.slice(0, -1).map((_, index) => `${index + 1}`), "end"]);
  await untilDrained(lb1);
  assert.ok(Number(await lb2.output("cat /sys/class/net/ha-relay/statistics/tx_packets")) > 0);
  await untilServed();
});

test("adverts travel another way, and nobody is master beside another", async () => {
  const multicast = { ...IPV4_ONLY, vrrp: { transport: "multicast" } };
  const becameMaster = (machine: Machine): Promise<string> =>
    machine.output("journalctl -q -b -o cat -u keepalived | grep -c '(EXTERN) Entering MASTER STATE' || :");
  let [active, backup] = [lb2, lb1];
  for (const bundles of [renderedBetween(IPV4_ONLY, multicast), rendered(multicast)]) {
    const own = (machine: Machine): string => bundles[machine === lb1 ? 0 : 1];
    const counted = await becameMaster(backup);
    assertDone(await backup.push("load-balancer", "files", own(backup)));
    const pushed = Date.now();
    await until(
      `${backup.name} to have missed more adverts than a backup may`,
      () => Promise.resolve(Date.now() - pushed),
      (since) => since > 3000,
    );
    assert.equal(await becameMaster(backup), counted, `${backup.name} hears ${active.name}`);
    assertDone(await active.push("load-balancer", "files", own(active)));
    [active, backup] = [backup, active];
    await untilMaster(active, VIPS);
    await untilDrained(backup);
  }
  await untilServed();
});
