import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Plan, plan, type PlannedLoadBalancer } from "../../plan/plan";
import { until } from "../../operate/poll";
import { Traffic } from "../../operate/traffic/traffic";
import { bundle } from "../../render/bundle";
import { renderAdoption } from "../../render/existing";
import { loadBalancerFiles, loadBalancerSecretFiles } from "../../render/files";
import { footprint, theirHaproxy, theirKeepalived } from "../support/handmade";
import { assertOnlyCut, MASTERS, movesIn } from "../support/moves";
import { dualStack, type Raw, specOf } from "../support/specs";
import { assertDone, Client } from "./harness/load-balancers";
import type { Machine } from "./harness/machine";
import { must } from "./harness/shell";
import { Site } from "./harness/site";

const VIP = { ipv4: "203.0.113.48", ipv6: "2001:db8:40:67bb::1" };
const INTERNAL_VIP = "198.51.100.200";
const PASSWORD = "hunter2";
const NUMBERS = [1, 2, 3];

const HAND_MADE = {
  vip: VIP.ipv4,
  internalVip: INTERNAL_VIP,
  password: PASSWORD,
  backends: ["198.51.100.193:8080", "198.51.100.194:8080"],
};

function stack(ipv6: boolean, changes: Raw = {}): Plan {
  const host = (number: number): object => ({
    hostname: `lb${number}`,
    external: { ipv4: `203.0.113.${32 + number}`, ...(ipv6 && { ipv6: `2001:db8:40:${number}::1` }) },
    internal: `198.51.100.${192 + number}`,
    user: "root",
    hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
  });
  const machines = {
    source: "existing",
    privateKey: dualStack().rootSecret,
    loadBalancers: Object.fromEntries(NUMBERS.map((number) => [`dc${number}`, host(number)])),
  };
  const made = dualStack();
  delete made.database;
  return plan(
    specOf({
      ...made,
      machines,
      external: {
        ipv4: { cidr: "203.0.113.0/26", gateway: "203.0.113.62" },
        ...(ipv6 && { ipv6: { prefix: "2001:db8:40::/48", gateway: "2001:db8:40::1" } }),
        vipRanges: ["203.0.113.48", ...(ipv6 ? ["2001:db8:40:67bb::/64"] : [])],
      },
      internal: { cidr: "198.51.100.128/25", vip: INTERNAL_VIP },
      vips: { www: { ipv4: VIP.ipv4, ...(ipv6 && { ipv6: VIP.ipv6 }) } },
      services: { web: { http: 80, healthCheck: "/" } },
      certificates: {},
      appServers: { app: { port: 8080, addresses: ["198.51.100.193", "198.51.100.194"] } },
      vrrp: { routerIds: { ipv4: 12, ipv6: 14, internal: 13 }, transport: "multicast" },
      ...changes,
    }),
  );
}

let site: Site;
let hosts: Record<string, Machine>;
let client: Client;
let found: string[];
const all = (): Machine[] => Object.values(hosts);

const footprints = (): Promise<string[]> =>
  Promise.all(all().map((machine) => machine.output(footprint([VIP.ipv4, INTERNAL_VIP]))));

async function holders(address: string): Promise<string[]> {
  const shown = await Promise.all(
    all().map(async (each) => [each.name, (await each.run("ip -o addr show")).stdout] as const),
  );
  return shown.filter(([, text]) => text.includes(` ${address}/`)).map(([name]) => name);
}

async function oneHolder(...addresses: string[]): Promise<string> {
  const seen = await until(
    `one host to have ${addresses.join(", ")}`,
    () => Promise.all(addresses.map(holders)),
    (each) => each.every((names) => names.length === 1 && names[0] === each[0]![0]),
    { seconds: 40 },
  );
  return seen[0]![0]!;
}

async function answers(url: string): Promise<void> {
  await until(
    `${url} to answer`,
    () => client.get(url),
    (text) => text.startsWith("app"),
    { seconds: 20 },
  );
}

/** The last host in turn counts as one whose keepalived does not say when it has reloaded, as before 2.2. */
function adoption(planned: Plan, node: PlannedLoadBalancer): string {
  const facts = renderAdoption(planned, node);
  return node === planned.loadBalancers.at(-1) ? facts.replace("KEEPALIVED_RELOAD=yes", "KEEPALIVED_RELOAD=no") : facts;
}

/** As components/remote.ts does it: each host in turn, in the plan's order. */
async function roll(planned: Plan): Promise<string> {
  let text = "";
  for (const node of planned.loadBalancers) {
    const machine = hosts[node.hostname]!;
    const adopted = await machine.run("/opt/ha-cluster/adopt.sh", adoption(planned, node));
    assert.equal(adopted.code, 0, adopted.text);
    for (const [what, files] of [
      ["secrets", loadBalancerSecretFiles(planned, PASSWORD, {})],
      ["files", loadBalancerFiles(planned, node)],
    ] as const) {
      const result = await machine.push("load-balancer", what, bundle(files));
      assertDone(result);
      assert.doesNotMatch(result.text, new RegExp(PASSWORD));
      text += result.text;
    }
    await oneHolder(VIP.ipv4, INTERNAL_VIP);
  }
  return text;
}

before(async () => {
  site = Site.open();
  client = Client.on(site);
  // VIPs are in another /64 of the prefix than the client.
  must("ip", "-n", `${site.name}-client`, "-6", "route", "add", "2001:db8:40::/48", "dev", "eth0");
  const machines = await Promise.all(NUMBERS.map((number) => site.boot(`lb${number}`, ["external", "internal"])));
  hosts = Object.fromEntries(machines.map((machine) => [machine.name, machine]));
  await Promise.all(
    machines.map(async (machine, index) => {
      await machine.output(
        `ip addr add 203.0.113.${33 + index}/27 dev eth0; ip addr add 198.51.100.${193 + index}/26 dev eth1; ` +
          "printf 'auto lo\\niface lo inet loopback\\nsource /etc/network/interfaces.d/*\\n' >/etc/network/interfaces; " +
          `mkdir /run/www && echo app${index + 1} >/run/www/index.html && ` +
          `systemd-run -q --unit=app python3 -m http.server -b 198.51.100.${193 + index} -d /run/www 8080`,
      );
      await machine.run(
        "cat >/etc/keepalived/keepalived.conf && chmod 0640 /etc/keepalived/keepalived.conf",
        theirKeepalived(HAND_MADE),
      );
      await machine.run(
        "cat >/etc/haproxy/haproxy.cfg && chown haproxy /etc/haproxy/haproxy.cfg",
        theirHaproxy(HAND_MADE),
      );
      // A kernel setting of theirs that no file has, and that no load balancer of our own is left with.
      await machine.output("sysctl -q -w net.ipv4.ip_nonlocal_bind=1; systemctl -q enable --now haproxy keepalived");
    }),
  );
  await oneHolder(VIP.ipv4, INTERNAL_VIP);
  await answers(`http://${VIP.ipv4}/`);
  found = await footprints();
});
after(() => site.close());

test("a host that is not what the stack file says is left alone", async () => {
  const [node] = stack(true).loadBalancers;
  const machine = hosts[node!.hostname]!;
  const facts = renderAdoption(stack(true), node!);
  const other = await machine.run("/opt/ha-cluster/adopt.sh", facts.replace("debian-12", "ubuntu-16.04"));
  assert.notEqual(other.code, 0);
  assert.match(other.stderr, /write `release: debian-12`/);
  await machine.output("sed -i.kept '/^source/d' /etc/network/interfaces");
  const unread = await machine.run("/opt/ha-cluster/adopt.sh", facts);
  await machine.output("mv /etc/network/interfaces.kept /etc/network/interfaces");
  assert.notEqual(unread.code, 0);
  assert.match(unread.stderr, /Add the line `source \/etc\/network\/interfaces\.d\/\*`/);
});

test("taken over, given IPv6 and given back, while a client asks all the time", async (t) => {
  const traffic = Traffic.start([{ url: `http://${VIP.ipv4}/`, contains: "app" }], {
    perSecond: 20,
    timeout: 2000,
    via: (...command) => client.inside(...command),
  });
  /** The hosts' journals are small. */
  const moves = new Set<number>();
  const noteMoves = async (): Promise<void> => {
    for (const moment of movesIn(await Promise.all(all().map((host) => host.output(MASTERS))))) moves.add(moment);
  };
  try {
    await t.test("taken over", async () => {
      const said = await roll(stack(false));
      assert.match(said, /^-\s+state EQUAL$/m);
      assert.match(said, /^-\s+auth_pass \*\*\*$/m);
      assert.match(said, /^\+\s+state BACKUP$/m);
      assert.equal(said.match(/taken over: VG_1:/g)!.length, NUMBERS.length);
      for (const host of all()) assert.equal(await host.output("nft list tables"), "");
    });
    await t.test("a second push has nothing to do", async () => {
      assert.equal((await roll(stack(false))).match(/nothing to change/g)!.length, 2 * NUMBERS.length);
    });
    await noteMoves();
    await t.test("given IPv6", async () => {
      const said = await roll(stack(true));
      assert.deepEqual(said.match(/^keepalived: (reloaded|started)$/gm), [
        "keepalived: reloaded",
        "keepalived: reloaded",
        "keepalived: started",
      ]);
      await oneHolder(VIP.ipv4, VIP.ipv6, INTERNAL_VIP);
      await answers(`http://[${VIP.ipv6}]/`);
    });
    await noteMoves();
    await t.test("given back", async () => {
      for (const node of stack(true).loadBalancers.toReversed()) {
        const left = await hosts[node.hostname]!.run("/opt/ha-cluster/leave.sh");
        assert.equal(left.code, 0, left.text);
        t.diagnostic(left.text.trim());
        await oneHolder(VIP.ipv4, INTERNAL_VIP);
      }
      assert.deepEqual(
        await footprints(),
        found.map((text) => text.replace(/^opt\/ha-cluster\/.*\n/gm, "")),
      );
    });
    await noteMoves();
    const attempts = await traffic.stop();
    const cut = assertOnlyCut(attempts, moves);
    t.diagnostic(`${attempts.length} requests; reset while the VIP moved: ${cut}`);
  } finally {
    await traffic.stop();
  }
});
