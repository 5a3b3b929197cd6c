import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type * as pulumi from "@pulumi/pulumi";
import { changeOf } from "../../../change/change";
import { deployed, type Resource } from "../../../change/deployed";
import { standingOf } from "../../../change/standing";
import { inTurn } from "../../../components/turns";
import { validate } from "../../../config/validate";
import { plan } from "../../../plan/plan";
import { dualStack, type Raw, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

const RISK = { acceptedBy: "J. Doe", on: "2026-11-22" };

/** Who has to be done before each server is touched, by id; the way to it included. */
function order(before: Raw, now: Raw, state: (all: Resource[]) => Resource[] = (all) => all): Map<string, string[]> {
  const standing = deployed(state(stateOf(plan(specOf(before)))));
  const planned = plan(validate(now, "dev", standingOf(standing)).spec!);
  const waits = new Map<string, string[]>();
  const made = (id: string, gate: pulumi.Resource[], way: string[] = []): { done: pulumi.Resource } => {
    waits.set(id, [...new Set([...(gate as unknown as string[]), ...way])].sort());
    return { done: id as unknown as pulumi.Resource };
  };
  const { mayDelete, mayReplace } = specOf(now);
  const change = changeOf(planned, standing, { mayDelete, mayReplace, mayRepair: [] });
  inTurn(planned, change, ["gone" as unknown as pulumi.Resource], {
    pause: (gate) => (change.pause?.due === true ? [...gate, "pause" as unknown as pulumi.Resource] : gate),
    balancer: (node, gate) => made(node.id, gate),
    database: (node, jump, gate) => made(node.id, gate, [jump.done as unknown as string]),
    app: (node, jump, gate) => made(node.id, gate, [jump.done as unknown as string]),
  });
  return waits;
}

/** Everybody whom a server waits for, at whatever distance. */
function allBefore(waits: Map<string, string[]>, id: string): Set<string> {
  const found = new Set<string>();
  const visit = (each: string): void => {
    for (const other of waits.get(each) ?? []) {
      if (found.has(other)) continue;
      found.add(other);
      visit(other);
    }
  };
  visit(id);
  return found;
}

describe("the order of a change", () => {
  test("a first build waits for nothing but the way to each server and the one before it of its role", () => {
    const waits = order(dualStack(), dualStack(), () => []);
    assert.deepEqual(Object.fromEntries(waits), {
      "lb-dc3": ["gone"],
      "lb-dc2": ["lb-dc3"],
      "lb-dc1": ["lb-dc2"],
      "db-dc3": ["gone", "lb-dc3"],
      "db-dc2": ["db-dc3", "lb-dc2"],
      "db-dc1": ["db-dc2", "lb-dc1"],
      "app-dc3-1": ["gone", "lb-dc3"],
      "app-dc2-1": ["app-dc3-1", "lb-dc2"],
      "app-dc1-1": ["app-dc2-1", "lb-dc1"],
    });
  });

  test("a new datacenter comes when all that stand know of it", () => {
    const two = dualStack({ datacenters: { dc1: {}, dc2: {} }, quorumRisk: RISK });
    const waits = order(two, dualStack());
    const known = ["lb-dc1", "lb-dc2", "db-dc1", "db-dc2"];
    for (const id of known) assert.ok(allBefore(waits, "lb-dc3").has(id), id);
    for (const id of [...known, "lb-dc3"]) assert.ok(allBefore(waits, "db-dc3").has(id), id);
  });

  test("nobody waits in a circle, whichever load balancer was lost", () => {
    for (const lost of ["dc1", "dc2", "dc3"]) {
      const waits = order(dualStack(), dualStack(), (all) =>
        all.filter(({ urn }) => !urn.endsWith(`::lb-${lost}`) && !urn.includes(`::lb-${lost}-`)),
      );
      for (const id of waits.keys()) assert.ok(!allBefore(waits, id).has(id), id);
      assert.ok(allBefore(waits, `db-${lost}`).has(`lb-${lost}`));
    }
  });

  test("while servers are stopped no two are changed side by side, of whatever role", () => {
    for (const now of [
      { loadBalancers: { flavor: "m1.medium" } },
      { image: "debian-12-next", mayReplace: ["lb-dc2", "app-dc1-1"] },
    ]) {
      const waits = order(dualStack(), dualStack(now));
      const ids = [...waits.keys()];
      for (const [index, id] of ids.entries()) {
        for (const earlier of ids.slice(0, index))
          assert.ok(allBefore(waits, id).has(earlier), `${id} after ${earlier}`);
      }
    }
  });

  test("while the internal network gets another length, so that whoever is in what is new finds all others there", () => {
    const internal = (cidr: string): Raw => ({ internal: { cidr, vip: "198.51.100.129" } });
    const before = dualStack(internal("198.51.100.128/25"));
    const now = dualStack({ ...internal("198.51.100.0/24"), appServers: { app: {}, more: { slots: [5] } } });
    const waits = order(before, now);
    const standing = [...waits.keys()].filter((id) => !id.startsWith("more"));
    for (const id of standing) assert.ok(allBefore(waits, "more-dc3-1").has(id), id);
    assert.ok(allBefore(waits, "db-dc3").has("lb-dc1"));
    assert.ok(!allBefore(order(now, now), "db-dc3").has("lb-dc1"));
  });

  test("who moves to another zone waits for the one that leaves it, and no circle comes of it", () => {
    const datacenters = {
      dc1: { availabilityZone: "dc4" },
      dc2: { availabilityZone: "dc1" },
      dc3: { availabilityZone: "dc2" },
    };
    const waits = order(
      dualStack(),
      dualStack({ datacenters, mayReplace: ["lb-dc1", "lb-dc2", "lb-dc3", "db-dc1", "db-dc2", "db-dc3"] }),
    );
    for (const kind of ["lb", "db"]) {
      assert.ok(allBefore(waits, `${kind}-dc3`).has(`${kind}-dc2`));
      assert.ok(allBefore(waits, `${kind}-dc2`).has(`${kind}-dc1`));
    }
    for (const id of waits.keys()) assert.ok(!allBefore(waits, id).has(id), id);
  });

  test("while applications move to another port, they come last, after a pause", () => {
    const waits = order(dualStack(), dualStack({ appServers: { app: { port: 9000 } } }));
    assert.deepEqual(waits.get("app-dc3-1"), ["db-dc1", "lb-dc1", "lb-dc3", "pause"]);
    assert.deepEqual(order(dualStack(), dualStack()).get("app-dc3-1"), ["gone", "lb-dc3"]);
  });

  test("whoever leaves for good has stopped serving before anybody forgets it", () => {
    const waits = order(dualStack(), dualStack({ datacenters: { dc1: {}, dc2: {} }, quorumRisk: RISK }));
    for (const id of waits.keys()) assert.ok(allBefore(waits, id).has("gone"), id);
  });

  test("who was sent away by a run that was cut comes back when all others know of it", () => {
    for (const gone of ["dc1", "dc2", "dc3"]) {
      const said = (all: Resource[]): Resource[] => [
        ...all,
        ...["lb", "db"].map((kind) => ({
          urn: `urn:pulumi:dev::ha-cluster::x$command:remote:Command::${kind}-${gone}-farewell`,
          type: "command:remote:Command",
          inputs: { create: "farewell.sh # leaves" },
        })),
      ];
      const waits = order(dualStack(), dualStack(), said);
      const others = ["dc1", "dc2", "dc3"].filter((each) => each !== gone);
      for (const other of others) {
        for (const kind of ["lb", "db"]) assert.ok(allBefore(waits, `${kind}-${gone}`).has(`${kind}-${other}`), other);
      }
      for (const id of waits.keys()) assert.ok(!allBefore(waits, id).has(id), id);
      const proved = order(dualStack(), dualStack(), (all) =>
        said(all).map((each) =>
          each.urn.endsWith(`-${gone}-config`)
            ? { ...each, inputs: { ...each.inputs, create: "push # after: leaves" } }
            : each,
        ),
      );
      assert.deepEqual([...proved.keys()], [...order(dualStack(), dualStack()).keys()]);
    }
  });
});
