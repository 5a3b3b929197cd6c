import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Adverts, advertsIn, advertsOf, meanwhile } from "../../../change/adverts";
import { bundlesOf } from "../../../change/files";
import { plan, type Plan } from "../../../plan/plan";
import { dualStack, ipv4Only, type Raw, specOf } from "../../support/specs";

const planned = (raw: Raw): Plan => plan(specOf(raw));
const wanted = (raw: Raw): Adverts => advertsOf(planned(raw).loadBalancers[0]!.syncGroup);
const pushed = (raw: Raw): Adverts => {
  const { loadBalancers } = planned(raw);
  return advertsIn(bundlesOf(planned(raw), "")[loadBalancers[0]!.id]!);
};

describe("what load balancers hear of each other", () => {
  for (const [what, raw] of Object.entries({
    "both families": dualStack(),
    "VRRP version 2, with a password": ipv4Only({ vrrp: { advertInterval: 1 } }),
  }))
    test(`is read from the file as it was planned: ${what}`, () => assert.deepEqual(pushed(raw), wanted(raw)));

  test("who speaks to all hears nobody who speaks to each, and the other way round", () => {
    const vrrp = (transport: string, internal = 53): Raw => ({ vrrp: { transport, routerIds: { internal } } });
    const now = pushed(ipv4Only(vrrp("unicast")));
    assert.equal(meanwhile([now], wanted(ipv4Only(vrrp("multicast")))), undefined);
    // EXTERN6 is always unicast.
    const both = wanted(dualStack(vrrp("multicast")));
    assert.deepEqual(meanwhile([pushed(dualStack(vrrp("unicast")))], both), both);
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
