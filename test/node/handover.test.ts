import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "../../operate/exec";
import { until } from "../../operate/poll";
import type { Attempt } from "../../operate/traffic/gap";
import { Traffic } from "../../operate/traffic/traffic";
import { App } from "./harness/app";
import { behind, connected, keptAlive } from "./harness/handovers";
import { Client, VIPS, assertDone, bootPair, files, untilDrained, untilMaster, vips } from "./harness/load-balancers";
import type { Machine } from "./harness/machine";
import { Site } from "./harness/site";

let site: Site;
let lb1: Machine, lb2: Machine;
let client: Client;
let app: App;
let caFile: string;

before(async () => {
  site = Site.open();
  client = Client.on(site);
  app = await App.on(site);
  let pem: string;
  ({ lb1, lb2, pem } = await bootPair(site, behind));
  caFile = join(site.directory, "ca.pem");
  writeFileSync(caFile, pem.slice(0, pem.indexOf("-----BEGIN PRIVATE KEY-----")));
});
after(() => {
  app.stop();
  site.close();
});

/** To each of four targets; an answer takes 50 to 300 ms, so that some twenty are under way at any moment. */
const PER_SECOND = 25;

async function withTraffic(during: (running: Traffic) => Promise<void>): Promise<Attempt[]> {
  const https = { caFile, servername: "www" };
  const running = Traffic.start(
    [
      { url: "http://203.0.113.48/", contains: "served" },
      { url: "http://[2001:db8:40::80]/", contains: "served" },
      { url: "https://203.0.113.48/", contains: "served", ...https },
      { url: "https://[2001:db8:40::80]/", contains: "served", ...https },
    ],
    { perSecond: PER_SECOND, timeout: 30_000, via: (...command) => client.inside(...command) },
  );
  try {
    await steady(running);
    await during(running);
    await steady(running);
  } finally {
    await running.stop();
  }
  return running.attempts;
}

async function steady(running: Traffic): Promise<void> {
  await until("steady traffic", () => Promise.resolve(running.steady(20)), Boolean, { seconds: 60 });
}

function failures(attempts: readonly Attempt[]): string[] {
  const failed = attempts.filter(({ ok }) => !ok);
  return failed.map(({ url, at, error }) => `${url} ${Math.round(at - attempts[0]!.at)} ms: ${error ?? ""}`);
}

/** Both families, HTTP and HTTPS, new connections all the time, and downloads that last longer than the handover. */
async function losesNothing(handOver: () => Promise<void>, from: Machine, to: Machine): Promise<void> {
  assert.deepEqual(await vips(from), VIPS);
  const downloads = ["http://203.0.113.48/download", "http://[2001:db8:40::80]/download"];
  const attempts = await withTraffic(async () => {
    const bodies = downloads.map((url) => client.get(url, 120));
    await handOver();
    await untilMaster(to);
    for (const body of await Promise.all(bodies)) assert.equal(body.length, 80_000);
  });
  assert.deepEqual(failures(attempts), []);
  assert.ok(Number(await to.output("cat /sys/class/net/ha-relay/statistics/tx_packets")) > 0);
  await untilDrained(from);
}

test("a planned handover by a push loses no connection", async () => {
  const changed = behind(files.lb1).replace(
    "log global\n    mode http",
    "log global\n    option redispatch\n    mode http",
  );
  await losesNothing(
    async () => {
      const result = await lb1.push("load-balancer", "files", changed);
      assertDone(result);
      assert.match(result.stdout, /another load balancer took the VIPs(.*\n)*probe: 4 of 4 listeners answer/);
    },
    lb1,
    lb2,
  );
});

test("one by an operator's mark loses none either", async () => {
  await losesNothing(
    async () => {
      await lb2.output("touch /run/ha-cluster/maintenance");
    },
    lb2,
    lb1,
  );
  assert.equal(await lb2.output("ls /run/ha-cluster/maintenance"), "/run/ha-cluster/maintenance");
  await lb2.output("rm /run/ha-cluster/maintenance");
});

test("a connection that is kept alive ends with an answer, and the next one is the new master's", async () => {
  const { port, kept } = keptAlive(client, 15);
  const held = client.get("http://203.0.113.48/held", 120);
  await connected(lb1, port);
  await lb1.output("touch /run/ha-cluster/maintenance");
  await untilMaster(lb2);
  await arriveAtTheOldMaster(lb1, lb2);
  assert.equal(await kept, "answered over 2");
  assert.equal(await client.get("http://203.0.113.48/release"), "released");
  assert.match(await held, /\nend\n$/);
  await untilDrained(lb1);
});

/** Connections that the new master accepted, while the client's neighbour table leads to the old one, which still drains. */
async function arriveAtTheOldMaster(old: Machine, master: Machine): Promise<void> {
  const bodies = ["http://203.0.113.48/download", "http://[2001:db8:40::80]/download"].map((url) =>
    client.get(url, 120),
  );
  await until(
    "both downloads at the new master",
    () => master.output("ss -Htn state established sport = :80"),
    (shown) => shown.trim().split("\n").length === bodies.length,
  );
  const mac = (await old.output("cat /sys/class/net/eth0/address")).trim();
  const neighbour = async (verb: string, ...how: string[]): Promise<void> => {
    for (const address of VIPS.slice(0, 2))
      await run(...client.inside("ip", "neigh", verb, address, "dev", "eth0", ...how));
  };
  await neighbour("replace", "lladdr", mac, "nud", "permanent");
  try {
    for (const body of await Promise.all(bodies)) assert.equal(body.length, 80_000);
  } finally {
    await neighbour("del");
  }
}
