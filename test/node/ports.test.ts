import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../../operate/poll";
import { failuresOf, summaryOf } from "../../operate/traffic/summary";
import { Traffic } from "../../operate/traffic/traffic";
import { plan, type Plan } from "../../plan/plan";
import { bundle } from "../../render/bundle";
import { appServerFiles, appServerSecretFiles, loadBalancerFiles } from "../../render/files";
import { RISK } from "../support/changes";
import { letServeSample } from "./harness/apps";
import { sampleApp } from "./harness/bundles";
import { assertDone, certificate, Client, secretsWith, untilMaster } from "./harness/load-balancers";
import type { Machine } from "./harness/machine";
import { RENDERED_VIPS, renderedSpec } from "./harness/rendered";
import { Site } from "./harness/site";

/** Of application servers in two datacenters; what a push brings to each machine at each stage. */
function planned(port: number): Plan {
  return plan(renderedSpec({ datacenters: { dc1: {}, dc2: {} }, quorumRisk: RISK, appServers: { app: { port } } }));
}

function balancer(port: number): string {
  const now = planned(port);
  return bundle(
    loadBalancerFiles(
      now,
      now.loadBalancers.find(({ id }) => id === "lb-dc1")!,
    ),
  );
}

function application(index: number, port: number, former: number[] = []): string {
  const now = planned(port);
  const node = now.appServers.find(({ id }) => id === `app-dc${index + 1}-1`)!;
  return bundle(appServerFiles(now, node, sampleApp(), former));
}

let site: Site;
let client: Client;
let lb: Machine;
let apps: Machine[];

before(async () => {
  site = Site.open();
  client = Client.on(site);
  const [first, ...others] = await Promise.all([
    site.boot("lb1", ["external", "internal"]),
    site.boot("app1", ["internal"]),
    site.boot("app2", ["internal"]),
  ]);
  [lb, apps] = [first, others];
  for (const [index, app] of apps.entries()) {
    assertDone(await app.push("app-server", "secrets", bundle(appServerSecretFiles("of no database"))));
    await letServeSample(app);
    assertDone(await app.push("app-server", "files", application(index, 8080)));
  }
  assertDone(await lb.push("load-balancer", "secrets", secretsWith(await certificate(lb, "www"))));
  assertDone(await lb.push("load-balancer", "files", balancer(8080)));
  await untilMaster(lb, RENDERED_VIPS);
});
after(() => site.close());

test("applications move to another port while clients go on asking, and nobody notices", async (t) => {
  const traffic = Traffic.start([{ url: `http://${RENDERED_VIPS[0]!}/healthz`, contains: '"server":"dev-app-' }], {
    perSecond: 20,
    timeout: 5000,
    via: (...command) => client.inside(...command),
  });
  try {
    await until("a steady second", () => Promise.resolve(traffic.steady(20)), Boolean, { seconds: 30 });
    const moved = async (former: number[]): Promise<void> => {
      for (const [index, app] of apps.entries()) {
        assertDone(await app.push("app-server", "files", application(index, 9000, former)));
      }
    };
    await moved([8080]);
    assert.match(await lb.output("/opt/ha-cluster/ask.sh http 198.51.100.223 8080 /healthz"), /app-dc1-1/);
    assert.match(await lb.output("/opt/ha-cluster/ask.sh http 198.51.100.223 9000 /healthz"), /app-dc1-1/);
    const restarts = await Promise.all(apps.map((app) => app.output("systemctl show -p MainPID --value app")));
    assertDone(await lb.push("load-balancer", "files", balancer(9000)));
    await moved([]);
    assert.equal(await lb.output("/opt/ha-cluster/ask.sh tcp 198.51.100.223 8080"), "silent");
    assert.deepEqual(
      await Promise.all(apps.map((app) => app.output("systemctl show -p MainPID --value app"))),
      restarts,
    );
    await until("a steady second", () => Promise.resolve(traffic.steady(20)), Boolean, { seconds: 30 });
    const attempts = await traffic.stop();
    const { sent, slowest } = summaryOf(attempts);
    t.diagnostic(`${failuresOf(attempts).length} of ${sent} requests failed, slowest ${slowest} ms`);
    assert.deepEqual(failuresOf(attempts), []);
  } finally {
    await traffic.stop();
  }
});
