import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Cluster } from "../../harness/cluster";
import type { StackFile } from "../../harness/stackFile";
import { temporaryFolder } from "../support/folder";
import { servers } from "../lab/standing";
import { cluster, INTERNAL_VIP, lab, open, stackFile, VIPS } from "../lab/support";
import { unnoticed } from "../lab/unnoticed";

const VIP = "198.51.100.130";

interface Way {
  what: string;
  there: (file: StackFile) => StackFile;
  /** The cluster as it is then, where the tests have to know. */
  then?: Cluster;
  /** What is on the machines then, and on none of them before. */
  look: () => Promise<void>;
  back: () => Promise<void>;
}

const WAYS: Way[] = [
  {
    what: "another port of the applications",
    there: (file) => file.set("appServers.app.port", 9000),
    look: () => applicationsListen(9000, 8080),
    back: () => applicationsListen(8080, 9000),
  },
  {
    what: "another port of the database",
    there: (file) => file.set("database.port", 3307),
    look: () => databaseAt(`${INTERNAL_VIP}:3307`),
    back: () => databaseAt(`${INTERNAL_VIP}:3306`),
  },
  {
    what: "another internal VIP",
    there: (file) => file.set("internal.vip", VIP),
    then: new Cluster({ ...cluster.facts, internalVip: VIP }),
    look: async () => {
      await databaseAt(`${VIP}:3306`);
      await gatewayIs(VIP, INTERNAL_VIP);
    },
    back: async () => {
      await databaseAt(`${INTERNAL_VIP}:3306`);
      await gatewayIs(INTERNAL_VIP, VIP);
    },
  },
  {
    what: "all router ids",
    there: (file) => file.set("vrrp.routerIds", { ipv4: 61, ipv6: 62, internal: 63 }),
    look: () => routerIds("61 62 63"),
    back: () => routerIds("51 52 53"),
  },
  {
    what: "another primary VIP",
    there: (file) => file.set("vips", { www: VIPS.www, api: { ...VIPS.api, primary: true } }),
    look: () => advertised(VIPS.api.ipv4),
    back: () => advertised(VIPS.www.ipv4),
  },
];

describe("what load balancers and those behind them have to agree on", () => {
  const folder = temporaryFolder();

  after(() => folder.remove());

  for (const { what, there, then = cluster, look, back } of WAYS) {
    for (const [title, file, of, see] of [
      [what, there(stackFile()), cluster, look],
      [`${what}, and back`, stackFile(), then, back],
    ] as const) {
      test(`${title}: in one run, on the same servers, and unnoticed`, async (t) => {
        const stack = await open(file, folder.path);
        const standing = await servers();
        const { mastership } = await unnoticed(t, () => stack.up(), { path: "/", of });
        t.diagnostic(`${mastership.handovers} handovers, two masters for ${Math.round(mastership.twoMasters)} ms`);
        assert.deepEqual(await servers(), standing);
        await see();
        await stack.up(["--expect-no-changes"]);
      });
    }
  }
});

test("a group under another name: no server is touched", async () => {
  const folder = temporaryFolder();
  try {
    const file = stackFile().set("services.web.servers", "web");
    file.set("appServers", { web: { runtime: "python", perDatacenter: 1, serversNamed: "app" } });
    await (await open(file, folder.path)).up(["--expect-no-changes"]);
  } finally {
    folder.remove();
  }
});

async function applicationsListen(port: number, old: number): Promise<void> {
  for (const name of cluster.appServers) {
    const rules = await lab.on(name, "ss -Hltn; nft list table inet ha_cluster");
    assert.match(rules, new RegExp(`:${port} `));
    assert.doesNotMatch(rules, new RegExp(`\\b${old}\\b`));
  }
  const groups = await lab.openstack<{ "Port Range": string }[]>("security", "group", "rule", "list");
  const ranges = groups.map((each) => each["Port Range"]);
  assert.deepEqual([ranges.includes(`${port}:${port}`), ranges.includes(`${old}:${old}`)], [true, false]);
}

/** There, and nowhere else. */
async function databaseAt(endpoint: string): Promise<void> {
  for (const name of cluster.loadBalancers) {
    const listening = await lab.on(name, "ss -Hltn");
    const found = [...listening.matchAll(/ (198\.51\.100\.\d+:330\d) /g)].map(([, each]) => each);
    assert.deepEqual([...new Set(found)], [endpoint], name);
  }
}

async function gatewayIs(vip: string, old: string): Promise<void> {
  for (const name of [...cluster.appServers, ...cluster.databases]) {
    assert.match(
      await lab.on(name, "ip route show default; cat /etc/network/interfaces"),
      new RegExp(`via ${vip} [^]*gateway ${vip}\n`),
    );
  }
  const holders = await cluster.holders([vip, old]);
  assert.deepEqual(
    holders.map(({ length }) => length),
    [1, 0],
  );
}

async function routerIds(ids: string): Promise<void> {
  for (const name of cluster.loadBalancers) {
    const found = await lab.on(name, "awk '$1 == \"virtual_router_id\" { print $2 }' /etc/keepalived/keepalived.conf");
    assert.equal(found.trim().replaceAll("\n", " "), ids, name);
  }
}

async function advertised(vip: string): Promise<void> {
  for (const name of cluster.loadBalancers) {
    const text = await lab.on(name, "cat /etc/keepalived/keepalived.conf");
    assert.match(text, new RegExp(`vrrp_instance EXTERN \\{[^}]*\\}[^}]*virtual_ipaddress \\{\\s+${vip}/32`), name);
  }
}
