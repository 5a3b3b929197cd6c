import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
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
import type { Raw } from "../support/specs";
import { Site } from "./harness/site";

/** Of application servers in two datacenters; what a push brings to each machine at each stage. */
function planned(port: number, more: Raw = {}): Plan {
  const { perDatacenter = 1, ...others } = more;
  const appServers = { app: { port, perDatacenter } };
  return plan(renderedSpec({ datacenters: { dc1: {}, dc2: {} }, quorumRisk: RISK, appServers, ...others }));
}

function balancer(port: number, more?: Raw): string {
  const now = planned(port, more);
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

/** Milliseconds after which haproxy would try the same server again. */
const TRIED_AGAIN = 1000;

/** Milliseconds: haproxy's `timeout connect`, for a server that does not answer. */
const GIVEN_UP = 3000;

/** Asks app1 from the same source port each time, whichever side was the last to close; haproxy takes none below 32768. */
function fromOnePort(port: number): string {
  return `python3 -c '
import socket
s = socket.socket()
s.settimeout(3)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("", 20001))
s.connect(("198.51.100.223", ${port}))
s.sendall(b"GET /healthz HTTP/1.0\\r\\n\\r\\n")
print(s.makefile().read())'`;
}

/** Clients go on asking, each answer comes, and none is so late that haproxy had given one server up. */
async function unnoticed(t: TestContext, change: (steady: () => Promise<boolean>) => Promise<void>): Promise<void> {
  const traffic = Traffic.start([{ url: `http://${RENDERED_VIPS[0]!}/healthz`, contains: '"server":"dev-app-' }], {
    perSecond: 20,
    timeout: 5000,
    via: (...command) => client.inside(...command),
  });
  const steady = (): Promise<boolean> =>
    until("a steady second", () => Promise.resolve(traffic.steady(20)), Boolean, { seconds: 30 });
  try {
    await steady();
    await change(steady);
    await steady();
    const attempts = await traffic.stop();
    const { sent, slowest } = summaryOf(attempts);
    t.diagnostic(`${failuresOf(attempts).length} of ${sent} requests failed, slowest ${slowest} ms`);
    assert.deepEqual(failuresOf(attempts), []);
    assert.ok(slowest < GIVEN_UP, `${slowest} ms`);
  } finally {
    await traffic.stop();
  }
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
  await unnoticed(t, async () => {
    const moved = async (former: number[]): Promise<void> => {
      for (const [index, app] of apps.entries()) {
        assertDone(await app.push("app-server", "files", application(index, 9000, former)));
      }
    };
    await moved([8080]);
    assert.match(await lb.output("/opt/ha-cluster/ask.sh http 198.51.100.223 8080 /healthz"), /app-dc1-1/);
    assert.match(await lb.output("/opt/ha-cluster/ask.sh http 198.51.100.223 9000 /healthz"), /app-dc1-1/);
    assert.match(await lb.output(fromOnePort(8080)), /app-dc1-1/);
    const restarts = await Promise.all(apps.map((app) => app.output("systemctl show -p MainPID --value app")));
    assertDone(await lb.push("load-balancer", "files", balancer(9000)));
    await moved([]);
    assert.equal(await lb.output("/opt/ha-cluster/ask.sh tcp 198.51.100.223 8080"), "silent");
    assert.match(await lb.output(fromOnePort(9000)), /app-dc1-1/);
    assert.deepEqual(
      await Promise.all(apps.map((app) => app.output("systemctl show -p MainPID --value app"))),
      restarts,
    );
  });
});

test("a server that is listed before it is there costs nobody's time, nor one that is down when haproxy reloads", async (t) => {
  const states = (): Promise<string> =>
    lb.output(
      `/opt/ha-cluster/ask.sh unix /run/haproxy/admin.sock 'show servers state' | awk '$2 == "web" { print $4, $6 }'`,
    );
  await unnoticed(t, async (steady) => {
    assertDone(await lb.push("load-balancer", "files", balancer(9000, { perDatacenter: 2 })));
    await steady();
    const missing = "dev-app-dc1-1 2\ndev-app-dc1-2 0\ndev-app-dc2-1 2\ndev-app-dc2-2 0";
    assert.equal(await states(), missing);
    const healthCheck = {
      services: { web: { http: 80, https: 443, certificate: "www", servers: "app", healthCheck: "/healthz?again" } },
    };
    assertDone(await lb.push("load-balancer", "files", balancer(9000, { perDatacenter: 2, ...healthCheck })));
    assert.equal(await states(), missing);
    await steady();
    assertDone(await lb.push("load-balancer", "files", balancer(9000)));
  });
});

test("an application that lets nobody in costs nobody's time, and what it has begun is answered before it restarts", async () => {
  const [app] = apps as [Machine, ...Machine[]];
  const slow = "exec 3<>/dev/tcp/198.51.100.223/9000; sleep 4; printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
  const begun = lb.run(`bash -c "${slow.replaceAll('"', '\\"')}"`);
  await until(
    "a connection that says nothing yet",
    () => app.output("ss -Htn state established 'sport = :9000' not dst 127.0.0.0/8 | wc -l"),
    (count) => Number(count) > 0,
  );
  const push = app.push("app-server", "files", application(0, 9001, [9000]));
  await until(
    "new connections to be refused",
    () => app.output("nft list tables"),
    (tables) => tables.includes("leaving"),
  );
  const milliseconds = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const began = Date.now();
      assert.match(await client.get(`http://${RENDERED_VIPS[0]!}/healthz`, 10), /"server":"dev-app-dc2-1"/);
      return Date.now() - began;
    }),
  );
  // haproxy takes what is refused to the other one; one answer may be late because this machine is busy.
  assert.ok(milliseconds.filter((each) => each >= TRIED_AGAIN).length <= 1, milliseconds.join(" "));
  assert.match((await begun).stdout, /200 OK.*app-dc1-1/s);
  const { code, text } = await push;
  assert.equal(code, 0, text);
  assert.match(text, /app: restarted/);
  assert.equal(await app.output("nft list tables | grep leaving || :"), "");
});
