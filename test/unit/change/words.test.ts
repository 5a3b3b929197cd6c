import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { changeOf } from "../../../change/change";
import { deployed, type Resource } from "../../../change/deployed";
import { standingOf } from "../../../change/standing";
import { bundlesOf, changedFiles } from "../../../change/files";
import { words } from "../../../change/words";
import { validate } from "../../../config/validate";
import { plan } from "../../../plan/plan";
import { dualStack, ipv4Only, type Raw, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

const RISK = { acceptedBy: "J. Doe", on: "2026-11-22" };

function told(now: Raw, before: Raw = dualStack(), state: (all: Resource[]) => Resource[] = (all) => all): string[] {
  const standing = deployed(state(stateOf(plan(specOf(before)))));
  const planned = plan(validate(now, "dev", standingOf(standing)).spec!);
  return words(changeOf(planned, standing), standing, bundlesOf(planned, "sample"));
}

describe("what a change does, in words", () => {
  test("nothing", () => assert.deepEqual(told(dualStack()), []));

  test("a first build", () => {
    const lines = told(dualStack(), dualStack(), () => []);
    assert.deepEqual(lines.slice(0, 3), ["dc1  app-dc1-1: made", "     db-dc1: made", "     lb-dc1: made"]);
    assert.equal(lines.at(-1), "customers: nobody is served yet");
  });

  test("IPv6", () => {
    const lines = told(dualStack(), ipv4Only());
    assert.match(lines[0]!, /^dc1 {2}lb-dc1: .* changed; if it is active it hands the VIPs over first, and drains$/);
    assert.equal(lines.length, 4);
    assert.equal(lines.at(-1), "customers: nothing");
  });

  test("what both sides have to agree on", () => {
    const lines = told(
      dualStack({ database: { port: 3307 }, vrrp: { routerIds: { ipv4: 61, ipv6: 62, internal: 63 } } }),
    );
    assert.deepEqual(lines.slice(0, 2), [
      "dc1  app-dc1-1: app.env changed; the application restarts",
      "     lb-dc1: listeners, probes, relay.nft and 3 more changed; if it is active it hands the VIPs over first, and drains; in two steps, meanwhile the database also at 198.51.100.1:3306, INTERN as before",
    ]);
    assert.equal(lines.length, 7);
    assert.equal(lines.at(-1), "customers: one server after the other is away for a moment, the others serve");
  });

  test("back, after a run that was cut: who may have other files than the state says", () => {
    const pushed = (all: Resource[]): Resource[] => {
      const before = plan(specOf(dualStack()));
      const planned = plan(specOf(dualStack({ database: { port: 3307 } })));
      const moves = changeOf(planned, deployed(all)).moves;
      assert.deepEqual(Object.keys(moves).length, before.loadBalancers.length + before.appServers.length);
      const urn = all
        .find((each) => each.urn.endsWith("::lb-dc3-config"))!
        .urn.replace("lb-dc3-config", "lb-dc3-between");
      const stdin = bundlesOf(before, "sample")["lb-dc3"]!;
      return [
        ...all,
        { urn, type: "command:remote:Command", inputs: { create: `push # ${moves["lb-dc3"]!.words}`, stdin } },
      ];
    };
    assert.deepEqual(told(dualStack(), dualStack(), pushed), [
      "dc3  lb-dc3: its files are pushed again, after what was cut (the database also at 198.51.100.1:3306); if it is active it hands the VIPs over first, and drains",
      "customers: nothing",
    ]);
  });

  test("a port that is gone, and what is left to do", () => {
    const without = (all: Resource[]): Resource[] => all.filter(({ urn }) => !urn.endsWith("Port::db-dc2-internal"));
    assert.deepEqual(told(dualStack(), dualStack(), without), [
      "dc2  db-dc2: its internal port is made anew; `npm run verify -- --repair` attaches it, until then the server is cut off there",
      "customers: nothing",
    ]);
  });

  test("flavors", () => {
    assert.deepEqual(
      told(dualStack({ database: { flavor: { dc1: "m1.small", dc2: "m1.medium", dc3: "m1.small" } } })),
      [
        "dc2  db-dc2: STOPPED and started again, m1.small → m1.medium; one server at a time",
        "customers: one server after the other is away for a moment, the others serve",
      ],
    );
  });

  test("a datacenter that leaves, with its data", () => {
    const lines = told(dualStack({ datacenters: { dc1: {}, dc3: {} }, quorumRisk: RISK, mayDelete: ["db-dc2"] }));
    assert.ok(lines.some((line) => line.endsWith("db-dc2: DELETED at the end, with its copy of the data")));
    assert.ok(lines.some((line) => line.endsWith("lb-dc2: DELETED at the end")));
    assert.ok(
      lines.some((line) => /db-dc1: galera, nftables\.conf changed; nothing stops$/.test(line)),
      lines.join("\n"),
    );
  });

  test("a server more", () => {
    const lines = told(dualStack({ appServers: { app: { perDatacenter: { dc1: 1, dc2: 2, dc3: 1 } } } }));
    assert.ok(lines.includes("dc2  app-dc2-1: neighbours, nftables.conf changed; nothing stops"));
    assert.ok(lines.includes("     app-dc2-2: made"));
    assert.equal(lines.at(-1), "customers: nothing");
  });
});

test("files that differ, came or went", () => {
  const before = "==> /a 0644 root:root\n1\n==> /b 0644 root:root\n2\n==> end\n";
  const after = "==> /a 0644 root:root\n1\n==> /b 0600 root:root\n2\n==> /c 0644 root:root\n==> end\n";
  assert.deepEqual(changedFiles(before, after), ["/b", "/c"]);
  assert.deepEqual(changedFiles(after, after), []);
});

describe("farewells", () => {
  const resized = dualStack({ database: { flavor: { dc1: "m1.small", dc2: "m1.medium", dc3: "m1.small" } } });
  const said = (why: string) => (all: Resource[]) => [
    ...all,
    {
      urn: "urn:pulumi:dev::ha-cluster::x$command:remote:Command::db-dc2-farewell",
      type: "command:remote:Command",
      inputs: { create: `sudo -n timeout -k 10 300 /opt/ha-cluster/farewell.sh database # ${why}` },
    },
  ];
  const farewells = (now: Raw, state: (all: Resource[]) => Resource[] = (all) => all): Record<string, string> => {
    const standing = deployed(state(stateOf(plan(specOf(dualStack())))));
    return changeOf(plan(specOf(now)), standing).farewells;
  };

  test("are said before a stop, and by nobody else", () => {
    assert.deepEqual(farewells(resized), { "db-dc2": "m1.small to m1.medium" });
    assert.deepEqual(farewells(dualStack()), {});
  });

  test("are left as they are afterwards", () => {
    assert.deepEqual(farewells(dualStack(), said("m1.large to m1.small")), { "db-dc2": "m1.large to m1.small" });
  });

  test("are said by who leaves, and again when it stays and leaves anew", () => {
    const two = dualStack({ datacenters: { dc1: {}, dc3: {} }, quorumRisk: RISK });
    assert.equal(farewells(two)["db-dc2"], "leaves");
    assert.deepEqual(farewells(dualStack(), said("leaves")), { "db-dc2": "leaves" });
    assert.equal(farewells(two, said("leaves"))["db-dc2"], "leaves, again");
  });

  test("are said again when the stop is tried again", () => {
    const once = said("m1.small to m1.medium");
    assert.deepEqual(farewells(resized, once), { "db-dc2": "m1.small to m1.medium, again" });
    assert.deepEqual(farewells(resized, said("m1.small to m1.medium, again")), { "db-dc2": "m1.small to m1.medium" });
  });
});
