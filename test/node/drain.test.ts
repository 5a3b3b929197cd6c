import assert from "node:assert/strict";
import { spawn } from "node:child_process";
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
  untilMaster as untilMasterOf,
  vips,
} from "./harness/load-balancers";
import { kept } from "./harness/kept";
import type { Machine } from "./harness/machine";
import { RENDERED_APP, RENDERED_VIPS, rendered } from "./harness/rendered";
import type { Result } from "./harness/shell";
import { Site } from "./harness/site";
import { Upload } from "./harness/upload";

const URLS = ["http://203.0.113.48", "http://[2001:db8:40:67bb::1]"];
const MEGABYTES = 64;

let site: Site;
let lb1: Machine, lb2: Machine, lb3: Machine;
let client: Client;
let app: App;

before(async () => {
  site = Site.open();
  client = Client.on(site);
  app = await App.on(site, RENDERED_APP);
  const names = ["lb1", "lb2", "lb3"];
  [lb1, lb2, lb3] = (await Promise.all(names.map((name) => site.boot(name, ["external", "internal"])))) as [
    Machine,
    Machine,
    Machine,
  ];
  const secrets = secretsWith(await certificate(lb1, "www"));
  const bundles = rendered();
  const push = async (machine: Machine, files: string): Promise<void> => {
    assertDone(await machine.push("load-balancer", "secrets", secrets));
    assertDone(await machine.push("load-balancer", "files", files));
  };
  // Whoever is there first has the VIPs, and keeps them.
  await push(lb1, bundles[0]);
  await untilMaster(lb1);
  await Promise.all([push(lb2, bundles[1]), push(lb3, bundles[2])]);
  await untilServed();
});
after(() => {
  app.stop();
  site.close();
});

function untilMaster(machine: Machine): Promise<void> {
  return untilMasterOf(machine, RENDERED_VIPS);
}

/** One load balancer has everything, no other has anything, and both families are answered. */
async function untilServed(): Promise<void> {
  for (const url of URLS) {
    await until(
      `${url} is served`,
      () => client.get(`${url}/`),
      (body) => body === "served",
      { seconds: 60 },
    );
  }
  const held = await Promise.all([lb1, lb2, lb3].map((machine) => vips(machine, RENDERED_VIPS)));
  assert.deepEqual(held.flat().sort(), [...RENDERED_VIPS].sort());
}

/** Packets that it got from a client and passed on to one that drains. */
async function relayed(machine: Machine): Promise<number> {
  return Number(await machine.output("cat /sys/class/net/ha-relay/statistics/tx_packets"));
}

async function holder(): Promise<Machine | undefined> {
  const machines = [lb1, lb2, lb3];
  const held = await Promise.all(machines.map((machine) => vips(machine, RENDERED_VIPS)));
  return machines.find((_, index) => held[index]!.length === RENDERED_VIPS.length);
}

/** The one that has all VIPs afterwards: it may be either of the others, whichever passes its checks at that moment. */
async function handOver(from: Machine): Promise<Machine> {
  await from.output("touch /run/ha-cluster/maintenance");
  const to = await until(
    `another load balancer has the VIPs of ${from.name}`,
    holder,
    (machine) => machine !== undefined && machine !== from,
    { seconds: 60 },
  );
  return to!;
}

async function untilRelays(machine: Machine, packets: number): Promise<void> {
  const before = await relayed(machine);
  await until(
    `${machine.name} relays ${packets} packets`,
    () => relayed(machine),
    (count) => count >= before + packets,
    { seconds: 60 },
  );
}

/** Ends a drain, and the operator's mark with it. */
async function end(machine: Machine): Promise<void> {
  await untilDrained(machine);
  await machine.output("rm /run/ha-cluster/maintenance");
}

/** The text of a download that went on without a gap until it was released. */
function assertWhole(text: string): void {
  const lines = text.trimEnd().split("\n");
  assert.equal(lines.pop(), "end");
  assert.deepEqual(
    lines,
    lines.map((_, index) => `${index + 1}`),
  );
}

/** Downloads over both families, which `machine` serves. */
async function heldDownloads(machine: Machine): Promise<() => Promise<void>> {
  const bodies = URLS.map((url) => client.get(`${url}/held`, 300));
  await until(
    `${machine.name} serves the downloads`,
    () => machine.output("ss -Htn state established 'sport = :80'"),
    (shown) => shown.split("\n").filter((line) => line.includes("203.0.113.48") || line.includes("67bb")).length >= 2,
  );
  return async () => (await Promise.all(bodies)).forEach(assertWhole);
}

test("a client's kept connection doesn't depend on one that the application gives up between two requests", async () => {
  assert.deepEqual(await kept(client, URLS, "/once", () => Promise.resolve()), [0, 0]);
});

test("it ends with an answer and goes on at the next one, whether an operator has one hand over or a push", async () => {
  const operators = await kept(client, URLS, "/", async () => {
    const drains = (await holder())!;
    await handOver(drains);
    // Of nothing that is left here, for minutes, it would not end.
    await untilDrained(drains);
    await end(drains);
  });
  assert.deepEqual(operators, [1, 1]);
  const pushed = await kept(client, URLS, "/", async () => {
    const drains = (await holder())!;
    const files = rendered()[[lb1, lb2, lb3].indexOf(drains)]!;
    const result = await drains.push("load-balancer", "files", edit(files, "weight 50", "weight 49"));
    assertDone(result);
    assert.match(result.stdout, /another load balancer took the VIPs/);
    await untilDrained(drains);
  });
  assert.deepEqual(pushed, [1, 1]);
  await untilServed();
});

test("what was answered and closed is not waited for, whoever keeps the other end open", async () => {
  const drains = (await holder())!;
  const script = `
    const socket = require("node:net").connect({ host: "203.0.113.48", port: 80, allowHalfOpen: true });
    socket.write("GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n");
    socket.resume();
    process.stdin.on("end", () => process.exit()).resume();`;
  const [file, args] = client.inside(process.execPath, "-e", script);
  const child = spawn(file, args, { stdio: ["pipe", "inherit", "inherit"] });
  try {
    const halves = (): Promise<string> => drains.output("ss -Htn state fin-wait-2 src 203.0.113.48");
    await until("haproxy has closed its end", halves, (shown) => shown !== "");
    await handOver(drains);
    await untilDrained(drains);
    assert.notEqual(await halves(), "", "it is still there");
  } finally {
    child.stdin.end();
  }
  await end(drains);
  await untilServed();
});

test("an upload that is under way comes through a handover whole", async () => {
  const drains = (await holder())!;
  const uploads = URLS.map((url) => Upload.start(client, `${url}/upload`, MEGABYTES));
  await until(
    `both uploads reach ${drains.name}`,
    () => drains.output("ss -Htn state established 'sport = :80'"),
    (shown) => shown.includes("203.0.113.48") && shown.includes("67bb"),
  );
  await untilRelays(await handOver(drains), 1000);
  for (const upload of uploads) {
    const { sent, received } = await upload.finish();
    assert.equal(received, sent);
    assert.ok(Number(sent.split(" ")[0]) >= MEGABYTES * 1024 * 1024, sent);
  }
  await end(drains);
  await untilServed();
});

test("a haproxy that is restarted while it drains waits until its connections are over", async () => {
  const drains = (await holder())!;
  const whole = await heldDownloads(drains);
  const relays = await handOver(drains);
  // systemd stops a unit that is just reloading without its ExecStop.
  await until(
    "haproxy has reloaded, and finishes the downloads",
    () => drains.output("systemctl is-active haproxy; pgrep -c -P $(systemctl show -p MainPID --value haproxy)"),
    (shown) => shown === "active\n2",
  );
  const pid = await drains.output("systemctl show -p MainPID --value haproxy");
  const restarted = drains.run("systemctl restart haproxy");
  await until(
    "the restart waits",
    () => drains.output("systemctl show -p SubState,ControlPID haproxy"),
    (shown) => /SubState=stop\b/.test(shown) && !shown.includes("ControlPID=0"),
  );
  await untilRelays(relays, 20);
  assert.equal(await client.get(`${URLS[0]}/release`), "released");
  await whole();
  assert.equal((await restarted).code, 0);
  assert.notEqual(await drains.output("systemctl show -p MainPID --value haproxy"), pid);
  await end(drains);
  await untilServed();
});

test("two load balancers drain at once, and each finishes what it has", async () => {
  const one = (await holder())!;
  const first = await heldDownloads(one);
  const other = await handOver(one);
  const second = await heldDownloads(other);
  const last = await handOver(other);
  assert.equal(
    await Promise.all([one, other].map((machine) => machine.output("systemctl is-active ha-cluster-drain"))).then(
      String,
    ),
    "active,active",
  );
  await untilRelays(last, 100);
  assert.equal(await client.get(`${URLS[1]}/release`), "released");
  await first();
  await second();
  await end(one);
  await end(other);
  await untilServed();
});

test("who says farewell hands over, and the next push has it serve again; the last one refuses to go", async () => {
  const goes = (await holder())!;
  const others = [lb1, lb2, lb3].filter((machine) => machine !== goes);
  const farewell = (machine: Machine): Promise<Result> => machine.run("/opt/ha-cluster/farewell.sh load-balancer");
  let said: Result;
  const renewed = await kept(client, URLS, "/", async () => {
    said = await farewell(goes);
  });
  assert.deepEqual(renewed, [1, 1]);
  assert.equal(said!.code, 0, said!.text);
  assert.doesNotMatch(said!.stdout, /connections that are left/);
  assert.match(said!.stdout, /another load balancer took the VIPs.*serves no more, and may be stopped/s);
  assert.equal(await goes.output("systemctl is-active keepalived || :"), "inactive");
  await untilServed();

  const stays = (await holder())!;
  const third = others.find((machine) => machine !== stays)!;
  await third.output("systemctl stop keepalived");
  const refused = await farewell(stays);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /no other load balancer took the VIPs, so this one stays/);
  await untilServed();
  assert.equal(await holder(), stays);

  await third.output("systemctl start keepalived");
  const bundles = rendered();
  const back = await goes.push("load-balancer", "files", bundles[[lb1, lb2, lb3].indexOf(goes)]!);
  assertDone(back);
  assert.match(back.stdout, /in force again/);
  assert.equal(
    await goes.output("systemctl is-active keepalived; ls /run/ha-cluster/maintenance 2>&1 || :"),
    "active\nls: cannot access '/run/ha-cluster/maintenance': No such file or directory",
  );
  await untilServed();
});
