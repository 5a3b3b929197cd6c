import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Adverts, advertsIn, advertsOf, meanwhile } from "../../../change/adverts";
import { changeOf } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import { bundlesOf, filesBetween } from "../../../change/files";
import { plan, type Plan } from "../../../plan/plan";
import { bundle } from "../../../render/bundle";
import { dualStack, ipv4Only, type Raw, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

const planned = (raw: Raw): Plan => plan(specOf(raw));
const wanted = (raw: Raw): Adverts => advertsOf(planned(raw).loadBalancers[0]!.syncGroup);
const pushed = (raw: Raw): Adverts => {
  const { loadBalancers } = planned(raw);
  return advertsIn(bundlesOf(planned(raw), "")[loadBalancers[0]!.id]!);
};

const VIPS = ["203.0.113.100", "203.0.113.101"] as const;

/** By some instance, of which nothing that they recognise each other by may differ. */
function hears(one: Adverts, other: Adverts): boolean {
  return Object.entries(one).some(([name, { routerId, addresses, transport }]) => {
    const said = other[name];
    return (
      said?.routerId === routerId && said.transport === transport && said.addresses.join(" ") === addresses.join(" ")
    );
  });
}

describe("what load balancers hear of each other", () => {
  for (const [what, raw] of Object.entries({
    "both families": dualStack(),
    "VRRP version 2, with a password": ipv4Only({ vrrp: { advertInterval: 1 } }),
  }))
    test(`is read from the file as it was planned: ${what}`, () => assert.deepEqual(pushed(raw), wanted(raw)));

  test("who speaks to all hears nobody who speaks to each, and the other way round", () => {
    const vrrp = (transport: string): Raw => ({ vrrp: { transport } });
    const way = meanwhile([pushed(ipv4Only(vrrp("unicast")))], wanted(ipv4Only(vrrp("multicast"))))!;
    assert.deepEqual(
      Object.entries(way).map(([name, { transport }]) => [name, transport]),
      [
        ["EXTERN", "multicast"],
        ["INTERN", "unicast"],
      ],
    );
    // EXTERN6 is always unicast.
    const both = wanted(dualStack(vrrp("multicast")));
    assert.deepEqual(meanwhile([pushed(dualStack(vrrp("unicast")))], both), both);
  });

  test("by multicast comes from anybody, also where all have other addresses", () => {
    const raw = (internal: number, cidr: string, gateway: string): Raw =>
      ipv4Only({
        external: { ipv4: { cidr, gateway, former: "203.0.113.0/24" }, vipRanges: ["203.0.113.96/28"] },
        vrrp: { transport: "multicast", routerIds: { internal } },
      });
    const next = wanted(raw(63, "192.0.2.0/24", "192.0.2.1"));
    assert.deepEqual(meanwhile([pushed(ipv4Only({ vrrp: { transport: "multicast" } }))], next), next);
    const byEach = pushed(ipv4Only());
    const between = meanwhile([byEach], wanted(raw(63, "192.0.2.0/24", "192.0.2.1")))!;
    assert.ok(hears(between, byEach) && hears(between, next));
  });

  test("is what the files for the time between say, which have the others as unicast peers again", () => {
    for (const [before, now] of [
      ["unicast", "multicast"],
      ["multicast", "unicast"],
    ] as const) {
      const raw = (transport: string): Raw => ipv4Only({ vrrp: { transport } });
      const { moves } = changeOf(planned(raw(now)), deployed(stateOf(planned(raw(before)))));
      for (const node of planned(raw(now)).loadBalancers) {
        const between = advertsIn(bundle(filesBetween(planned(raw(now)), node, moves[node.id]!, "sample")));
        const { transport, members } = between["INTERN"]!;
        assert.deepEqual([between["EXTERN"]!.transport, transport], [now, before]);
        const own = planned(raw(now)).loadBalancers.map(({ internal }) => internal);
        assert.deepEqual(members, before === "unicast" ? own.sort() : [node.internal]);
      }
    }
  });

  test("never stops, whatever is changed, in whatever order runs go on or back after a cut", () => {
    const settings = [];
    for (const transport of ["unicast", "multicast"])
      for (const ipv4 of [51, 61])
        for (const internal of [53, 63])
          for (const [primary, other] of [VIPS, [...VIPS].reverse()]) {
            const vips = { www: { ipv4: primary, primary: true }, api: { ipv4: other } };
            settings.push(wanted(ipv4Only({ vips, vrrp: { transport, routerIds: { ipv4, internal } } })));
          }
    const setting = fc.constantFrom(...settings);
    const run = fc.record({ setting, cut: fc.option(fc.nat(6), { nil: undefined }) });
    fc.assert(
      fc.property(setting, fc.array(run, { minLength: 1, maxLength: 5 }), (first, runs) => {
        let machines = [first, first, first];
        for (const { setting: next, cut = 6 } of runs) {
          const way = meanwhile(machines, next);
          const uniform = machines.every((each) => JSON.stringify(each) === JSON.stringify(machines[0]));
          assert.ok(way ?? !uniform, "a cluster that no run was cut on may become anything");
          if (!way) continue;
          const steps = [way, way, way, next, next, next];
          for (const [index, step] of steps.slice(0, cut).entries()) {
            machines = machines.map((each, at) => (at === index % 3 ? step : each));
            for (const each of machines) assert.ok(machines.every((other) => hears(each, other)));
          }
        }
      }),
    );
  });

  test("an instance of version 2 hears no other interval", () => {
    // INTERN, of version 3, keeps them together only while its id stays.
    const vrrp = (advertInterval: number, internal: number): Raw =>
      ipv4Only({ vrrp: { version: 2, advertInterval, routerIds: { ipv4: 51, internal } } });
    const now = pushed(vrrp(1, 53));
    assert.deepEqual(meanwhile([now], wanted(vrrp(2, 53))), wanted(vrrp(2, 53)));
    const way = meanwhile([now], wanted(vrrp(2, 63)))!;
    assert.deepEqual([way["EXTERN"]!.speech, way["INTERN"]!.routerId], ["2, every 2 s, with a password", 53]);
    assert.deepEqual(meanwhile([now], wanted(vrrp(1, 63))), wanted(vrrp(1, 63)));
  });
});
