import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { exec, run } from "../../operate/exec";
import { until } from "../../operate/poll";
import { App } from "../node/harness/app";
import { behind, connected, keptAlive } from "../node/harness/handovers";
import { Client, VIPS, bootPair, untilDrained, untilMaster, vips } from "../node/harness/load-balancers";
import type { Machine } from "../node/harness/machine";
import { Site } from "../node/harness/site";

/*
 * Connections of a load balancer that dies, on two machines without a cloud. Not in npm test: now and then, on a machine that
 * runs all of it, no reset comes for more than a minute; why is not known, and what a failure shows is there to find it.
 */

/** curl's: the connection was reset. */
const RECEIVING_FAILED = 56;

let site: Site;
let lb1: Machine, lb2: Machine;
let client: Client;
let app: App;

before(async () => {
  site = Site.open();
  client = Client.on(site);
  app = await App.on(site);
  ({ lb1, lb2 } = await bootPair(site, behind));
});
after(() => {
  app.stop();
  site.close();
});

/** What decides where a client's packets go, and who answers them: for the words of a failure. */
async function scene(master: Machine): Promise<string> {
  const [file, args] = client.inside("ip", "-s", "neigh");
  return `${await run(file, args)}${await master.output("nft list table inet ha_cluster_relay; ip -4 -o addr; ip -4 rule; cat /run/ha-cluster/group-*; journalctl -n 40 --no-pager -o short-precise")}`;
}

test("when the machine that drains dies, what it had is reset", async () => {
  await lb1.output("touch /run/ha-cluster/maintenance");
  await untilMaster(lb2);
  await untilDrained(lb1);
  await lb1.output("rm -f /run/ha-cluster/maintenance");
  const [file, args] = client.inside("curl", "-gs", "--max-time", "90", "http://203.0.113.48/held");
  const held = exec(file, args);
  await until(
    "lb2 serves the download",
    () => lb2.output("ss -Htn state established src 203.0.113.48"),
    (shown) => shown !== "",
  );
  await lb2.output("touch /run/ha-cluster/maintenance");
  await untilMaster(lb1);
  lb2.powerOff();
  const { code } = await held;
  const seen = await scene(lb1);
  await lb2.powerOn();
  assert.equal(code, RECEIVING_FAILED, seen);
});

test("after a crash, what nobody knows is reset at once", async () => {
  await until(
    "lb2 stands by",
    () => lb2.run("cat /run/ha-cluster/group-VG_1"),
    ({ stdout }) => stdout === "BACKUP\n",
  );
  const { port, kept } = keptAlive(client, 60);
  await connected(lb1, port);
  lb1.powerOff();
  const met = await kept;
  assert.equal(met, "ECONNRESET", await scene(lb2));
  assert.deepEqual(await vips(lb2), VIPS);
});
