import assert from "node:assert/strict";
import { after, before, describe, test, type TestContext } from "node:test";
import { Cluster } from "../../harness/cluster";
import type { StackFile } from "../../harness/stackFile";
import { Provider } from "../lab/provider";
import { servers } from "../lab/standing";
import { cluster, lab, open, stackFile, verb, VIPS } from "../lab/support";
import { unnoticed } from "../lab/unnoticed";
import { temporaryFolder } from "../support/folder";

interface Network {
  cidr: string;
  gateway: string;
  range: string;
  /** VIPs of www and api. */
  vips: [string, string];
  /** The load balancers' own, by datacenter. */
  own: [string, string, string];
}

interface Way {
  what: string;
  family: "ipv4" | "ipv6";
  old: Network;
  given: Network;
  /** What the provider's router has in the old network. */
  router: string;
}

const WAYS: Way[] = [
  {
    what: "another IPv6 prefix",
    family: "ipv6",
    old: {
      cidr: "2001:db8:46::/48",
      gateway: "2001:db8:46::1",
      range: "2001:db8:46:67bb::/64",
      vips: [VIPS.www.ipv6, VIPS.api.ipv6],
      own: ["2001:db8:46:b::1", "2001:db8:46:c::1", "2001:db8:46:d::1"],
    },
    given: {
      cidr: "2001:db8:47::/48",
      gateway: "2001:db8:47::1",
      range: "2001:db8:47:67bb::/64",
      vips: ["2001:db8:47:67bb::1", "2001:db8:47:67bb::2"],
      own: ["2001:db8:47:b::1", "2001:db8:47:c::1", "2001:db8:47:d::1"],
    },
    router: "2001:db8:46::fe/48",
  },
  {
    what: "another IPv4 network",
    family: "ipv4",
    old: {
      cidr: "203.0.113.192/26",
      gateway: "203.0.113.193",
      range: "203.0.113.240/29",
      vips: [VIPS.www.ipv4, VIPS.api.ipv4],
      own: ["203.0.113.203", "203.0.113.204", "203.0.113.205"],
    },
    given: {
      cidr: "203.0.113.64/26",
      gateway: "203.0.113.65",
      range: "203.0.113.112/29",
      vips: ["203.0.113.113", "203.0.113.114"],
      own: ["203.0.113.75", "203.0.113.76", "203.0.113.77"],
    },
    router: "203.0.113.252/26",
  },
];

describe("another external network", () => {
  const folder = temporaryFolder();
  const provider = new Provider(
    WAYS.map(({ family, given: { cidr, gateway }, router }) => ({
      name: `external-${family}-given`,
      cidr,
      gateway,
      before: router,
    })),
  );

  before(() => provider.give());
  after(async () => {
    await provider.takeBack();
    folder.remove();
  });

  for (const { what, family, old, given } of WAYS) {
    for (const [title, from, to] of [
      [what, old, given],
      [`${what}, and back`, given, old],
    ] as const) {
      test(`${title}: VIPs in both, on the same servers, and unnoticed`, async (t) => {
        const change = { [family]: { from: from.own, to: to.own } };
        await moves(t, both(family, from, to), change, seenBy(family, from));
      });

      test(`${title}: then VIPs there alone, unnoticed`, async (t) => {
        const stack = await open(alone(family, to), folder.path);
        await unnoticed(t, () => stack.up(), { path: "/", of: seenBy(family, to) });
        await stack.up(["--expect-no-changes"]);
      });
    }
  }
});

describe("other places for load balancers in the same networks", () => {
  const folder = temporaryFolder();
  after(() => folder.remove());

  const [defaults, given]: [Own, Own] = [
    { ipv4: WAYS[1]!.old.own, ipv6: WAYS[0]!.old.own },
    {
      ipv4: ["203.0.113.213", "203.0.113.214", "203.0.113.215"],
      ipv6: ["2001:db8:46:1b::1", "2001:db8:46:1c::1", "2001:db8:46:1d::1"],
    },
  ];
  const between = (from: Own, to: Own): Moving => ({
    ipv4: { from: from.ipv4, to: to.ipv4 },
    ipv6: { from: from.ipv6, to: to.ipv6 },
  });

  test("that the provider gave, on the same servers, and unnoticed", async (t) => {
    const file = stackFile()
      .set("external.ipv4.loadBalancers", ["203.0.113.213-203.0.113.215"])
      .set("external.ipv6.firstSubnet", "2001:db8:46:1b::/64");
    await moves(t, file, between(defaults, given));
  });

  test("and back", (t) => moves(t, stackFile(), between(given, defaults)));
});

/** The cluster as clients know it by the VIPs of a network. */
function seenBy(family: Way["family"], { vips }: Network): Cluster {
  return new Cluster({
    ...cluster.facts,
    vips: cluster.facts.vips.map((vip, index) => ({ ...vip, [family]: vips[index]! })),
  });
}

function alone(family: Way["family"], network: Network): StackFile {
  return external(family, network).set("vips", vipsOf(family, network));
}

function both(family: Way["family"], from: Network, to: Network): StackFile {
  const [www, api] = to.vips;
  return external(family, to, from)
    .set("vips", { ...vipsOf(family, from), "www-there": { [family]: www }, "api-there": { [family]: api } })
    .set("services.web.vips", ["www", "api", "www-there", "api-there"]);
}

function external(family: Way["family"], { cidr, gateway, range }: Network, former?: Network): StackFile {
  const other = family === "ipv6" ? "203.0.113.240/29" : "2001:db8:46:67bb::/64";
  return stackFile()
    .set(`external.${family}`, {
      [family === "ipv6" ? "prefix" : "cidr"]: cidr,
      gateway,
      ...(former && { former: former.cidr }),
    })
    .set("external.vipRanges", [other, range, ...(former ? [former.range] : [])]);
}

function vipsOf(family: Way["family"], { vips: [www, api] }: Network): object {
  return { www: { ...VIPS.www, [family]: www, primary: true }, api: { ...VIPS.api, [family]: api } };
}

/** Addresses by family, each by datacenter. */
type Own = Record<Way["family"], readonly string[]>;
type Moving = Partial<Record<Way["family"], { from: readonly string[]; to: readonly string[] }>>;

async function moves(t: TestContext, file: StackFile, moving: Moving, of = cluster): Promise<void> {
  const folder = temporaryFolder();
  try {
    const stack = await open(file, folder.path);
    const standing = new Map([...(await servers())].map(([name, where]) => [name, where.split(" ")[0]]));
    await watched(async () => {
      await unnoticed(t, () => stack.up(), { path: "/", of });
    });
    const now = await servers();
    assert.deepEqual(new Map([...now].map(([name, where]) => [name, where.split(" ")[0]])), standing);
    for (const [index, name] of cluster.loadBalancers.entries()) {
      const said = await lab.on(name, "systemctl stop watch; cat /run/watched");
      for (const { from, to } of Object.values(moving)) {
        assertMoved(name, said, from[index]!, to[index]!);
        assert.match(now.get(name)!, new RegExp(`"${to[index]!}"`));
        assert.doesNotMatch(now.get(name)!, new RegExp(`"${from[index]!}"`));
      }
    }
    await stack.up(["--expect-no-changes"]);
    const { code, stdout } = await verb("verify", stack);
    assert.equal(code, 0, stdout);
  } finally {
    folder.remove();
  }
}

/** With what happens to addresses in the meantime written down, on each load balancer. */
async function watched(change: () => Promise<void>): Promise<void> {
  const watch =
    "systemctl stop watch 2>/dev/null; systemd-run -q --unit=watch sh -c 'exec ip -o monitor address >/run/watched'";
  await Promise.all(cluster.loadBalancers.map((name) => lab.on(name, watch)));
  await change();
}

/** It had its new address before it lost the old one. */
function assertMoved(name: string, said: string, from: string, to: string): void {
  const lines = said.split("\n");
  const came = lines.findIndex((line) => line.includes(` ${to}/`) && !line.startsWith("Deleted"));
  const went = lines.findIndex((line) => line.includes(` ${from}/`) && line.startsWith("Deleted"));
  assert.ok(came !== -1 && went > came, `${name}: ${said}`);
}
