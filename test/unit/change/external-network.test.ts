import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { meanwhile, advertsOf } from "../../../change/adverts";
import { changeOf } from "../../../change/change";
import { deployed, type Resource } from "../../../change/deployed";
import { bundlesOf } from "../../../change/files";
import { words } from "../../../change/words";
import { plan, type Plan } from "../../../plan/plan";
import { found, refuses, RISK, withoutPort } from "../../support/changes";
import { dualStack, ipv4Only, type Raw, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

const OLD = { prefix: "2001:db8:45::/48", gateway: "2001:db8:45::1" };
const NEW = { prefix: "2001:db8:46::/48", gateway: "2001:db8:46::1" };
const V4 = { cidr: "203.0.113.0/24", gateway: "203.0.113.1" };
const NEW4 = { cidr: "192.0.2.0/24", gateway: "192.0.2.1" };
const RANGES = ["203.0.113.96/28", "2001:db8:45:67bb::/64", "2001:db8:46:67bb::/64"];
const WWW = { ipv4: "203.0.113.100", ipv6: "2001:db8:45:67bb::1", primary: true };

/** VIPs in both. */
const moved = (changes: Raw = {}): Raw =>
  dualStack({
    external: { ipv4: V4, ipv6: { ...NEW, former: OLD.prefix }, vipRanges: RANGES },
    vips: { www: WWW, there: { ipv6: "2001:db8:46:67bb::1" } },
    ...changes,
  });

const planned = (raw: Raw): Plan => plan(specOf(raw));

describe("another external network", () => {
  test("goes, with VIPs that come in it, and other things that both sides must agree on", () => {
    assert.deepEqual(found({ now: moved() }), []);
    assert.deepEqual(found({ now: moved({ database: { port: 3307 } }) }), []);
    assert.deepEqual(
      found({
        before: ipv4Only(),
        now: ipv4Only({
          external: { ipv4: { ...NEW4, former: V4.cidr }, vipRanges: ["203.0.113.96/28"] },
        }),
      }),
      [],
    );
  });

  test("is told in words, of each load balancer", () => {
    const now = planned(moved());
    const standing = deployed(stateOf(planned(dualStack())));
    const said = words(changeOf(now, standing), standing, bundlesOf(now, "sample"));
    assert.match(said.join("\n"), /lb-dc1: .*; in two steps, meanwhile 2001:db8:45:b::1 as well$/m);
    assert.equal(said.at(-1), "customers: nothing");
  });

  test("has a load balancer reached by what it was told, whatever its port has beside, in Neutron's order", () => {
    const reached = (allFixedIps: string[], change = (all: Resource[]): Resource[] => all): string | undefined =>
      deployed(
        change(
          stateOf(planned(dualStack())).map((each) =>
            each.urn.endsWith("::lb-dc1-external") ? { ...each, outputs: { ...each.outputs, allFixedIps } } : each,
          ),
        ),
      ).servers.find(({ id }) => id === "lb-dc1")!.way;
    for (const both of [
      ["192.0.2.11", "203.0.113.11", "2001:db8:45:b::1"],
      ["203.0.113.11", "2001:db8:45:b::1", "203.0.113.99"],
    ])
      assert.equal(reached(both), "203.0.113.11");
    assert.equal(reached(["192.0.2.11", "203.0.113.11"], withoutPort("lb-dc1-external")), undefined);
  });

  refuses(
    "while a load balancer has lost its port there",
    { now: moved(), state: withoutPort("lb-dc1-external") },
    "external.ipv6.prefix",
    /can't be changed while `lb-dc1` has no external port/,
    /npm run verify -- --repair/,
  );

  test("is no move where IPv6 goes, nor where it comes", () => {
    const [with6, without] = [dualStack(), ipv4Only()].map(planned) as [Plan, Plan];
    assert.deepEqual(changeOf(without, deployed(stateOf(with6))).moves, {});
    assert.deepEqual(changeOf(with6, deployed(stateOf(without))).moves, {});
  });

  test("leaves nobody hearing the others by the instance whose addresses are other ones", () => {
    const adverts = (raw: Raw) => advertsOf(planned(raw).loadBalancers[0]!.syncGroup);
    const ids = { vrrp: { routerIds: { ipv4: 61, ipv6: 52, internal: 63 } } };
    // EXTERN6 alone has its id, but it speaks from the new addresses: INTERN has to stay as it is meanwhile.
    const way = meanwhile([adverts(dualStack())], adverts(moved({ ...ids, vips: { www: WWW } })))!;
    assert.deepEqual([way["EXTERN"]!.routerId, way["INTERN"]!.routerId], [61, 53]);
  });

  refuses(
    "a certificate in the same run",
    { now: moved({ certificates: { ...(dualStack().certificates as object), api: certificate() } }) },
    "external.ipv6.prefix",
    /^can't be changed in the run in which `certificates\.api` comes/,
    /in two runs/,
  );
  refuses(
    "a VIP that is a load balancer's own address until then",
    {
      now: moved({
        external: { ipv4: V4, ipv6: { ...NEW, former: OLD.prefix }, vipRanges: [...RANGES, "2001:db8:45:b::/64"] },
        vips: { www: WWW, there: { ipv6: "2001:db8:45:b::1" } },
      }),
    },
    "vips.there.ipv6",
    /^2001:db8:45:b::1 is lb-dc1's own address until this run has taken it away$/,
    /first the load balancers/,
  );
  refuses(
    "an own address that is a VIP until then",
    {
      before: dualStack({
        external: { ipv4: V4, ipv6: OLD, vipRanges: [...RANGES.slice(0, 2), "203.0.113.128/25"] },
        vips: { www: { ...WWW }, there: { ipv4: "203.0.113.139" } },
      }),
      now: dualStack({
        external: {
          ipv4: { cidr: "203.0.113.128/26", gateway: "203.0.113.129" },
          ipv6: OLD,
          vipRanges: ["203.0.113.176/29", "2001:db8:45:67bb::/64"],
        },
        vips: { www: { ...WWW, ipv4: "203.0.113.180" } },
      }),
    },
    "external.ipv4.cidr",
    /^gives lb-dc1 the address 203\.0\.113\.139, which is a VIP until this run has taken it away$/,
    /first take that VIP away/,
  );

  const given = (loadBalancers: string[], changes: Raw = {}): Raw =>
    dualStack({ external: { ipv4: { ...V4, loadBalancers }, ipv6: OLD, vipRanges: RANGES.slice(0, 2) }, ...changes });

  test("or other places in the same one, that nobody has", () => {
    assert.deepEqual(found({ now: given(["203.0.113.14-203.0.113.16"]) }), []);
    assert.deepEqual(found({ now: given(["203.0.113.11-203.0.113.13"]) }), []);
  });
  refuses(
    "a place that another load balancer has until then",
    { now: given(["203.0.113.12", "203.0.113.20-203.0.113.21"]) },
    "external.ipv4.loadBalancers",
    /^gives lb-dc1 the address 203\.0\.113\.12, which is lb-dc2's until the end of this run$/,
    /in two runs: first addresses that none of them has/,
  );
  refuses(
    "a /64 that another load balancer has until then",
    {
      now: dualStack({
        external: { ipv4: V4, ipv6: { ...OLD, firstSubnet: "2001:db8:45:c::/64" }, vipRanges: RANGES.slice(0, 2) },
      }),
    },
    "external.ipv6.firstSubnet",
    /^gives lb-dc2 the address 2001:db8:45:d::1, which is lb-dc3's until the end of this run$/,
    /in two runs/,
  );
  refuses(
    "a place of one that leaves in the same run",
    {
      now: given(["203.0.113.20", "203.0.113.11", "203.0.113.21"], {
        datacenters: { dc2: {}, dc3: {} },
        quorumRisk: RISK,
        mayDelete: ["db-dc1"],
      }),
    },
    "external.ipv4.loadBalancers",
    /^gives lb-dc2 the address 203\.0\.113\.11, which is lb-dc1's until the end of this run$/,
    /in two runs/,
  );
  refuses(
    "a VIP in the place of one that leaves in the same run",
    {
      now: dualStack({
        datacenters: { dc2: {}, dc3: {} },
        quorumRisk: RISK,
        mayDelete: ["db-dc1"],
        external: { ipv4: V4, ipv6: OLD, vipRanges: [...RANGES.slice(0, 2), "203.0.113.11"] },
        vips: { www: WWW, there: { ipv4: "203.0.113.11" } },
      }),
    },
    "vips.there.ipv4",
    /^203\.0\.113\.11 is lb-dc1's own address until this run has taken it away$/,
    /first the load balancers/,
  );
  refuses(
    "a place of a VIP that goes, for one that comes",
    {
      before: given(["203.0.113.20-203.0.113.21"], {
        datacenters: { dc2: {}, dc3: {} },
        quorumRisk: RISK,
        vips: { www: WWW, there: { ipv4: "203.0.113.105" } },
      }),
      now: given(["203.0.113.20-203.0.113.21", "203.0.113.105"]),
    },
    "external.ipv4.loadBalancers",
    /^gives lb-dc1 the address 203\.0\.113\.105, which is a VIP until this run has taken it away$/,
    /first take that VIP away/,
  );
  refuses(
    "the same places in a network of another length, while a load balancer has lost its port",
    {
      before: dualStack({
        external: {
          ipv4: { cidr: "203.0.113.128/26", gateway: "203.0.113.129" },
          ipv6: OLD,
          vipRanges: ["203.0.113.176/29", "2001:db8:45:67bb::/64"],
        },
        vips: { www: { ...WWW, ipv4: "203.0.113.180" } },
      }),
      now: dualStack({
        external: { ipv4: V4, ipv6: OLD, vipRanges: ["203.0.113.176/29", "2001:db8:45:67bb::/64"] },
        vips: { www: { ...WWW, ipv4: "203.0.113.180" } },
      }),
      state: withoutPort("lb-dc1-external"),
    },
    "external.ipv4.cidr",
    /can't be changed while/,
    /npm run verify -- --repair/,
  );
  refuses(
    "a place that is a VIP until then",
    {
      now: given(["203.0.113.14", "203.0.113.100", "203.0.113.16"], {
        vips: { www: { ipv4: "203.0.113.101", ipv6: WWW.ipv6 } },
      }),
    },
    "external.ipv4.loadBalancers",
    /^gives lb-dc2 the address 203\.0\.113\.100, which is a VIP until this run has taken it away$/,
    /first take that VIP away/,
  );
  refuses(
    "other places while a load balancer has lost its port there",
    { now: given(["203.0.113.14-203.0.113.16"]), state: withoutPort("lb-dc1-external") },
    "external.ipv4.loadBalancers",
    /can't be changed while `lb-dc1` has no external port/,
    /npm run verify -- --repair/,
  );
});

function certificate(): unknown {
  return (dualStack().certificates as Record<string, unknown>)["www"];
}
