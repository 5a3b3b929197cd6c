import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Document, parse } from "yaml";
import { changeOf, everyServer } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import { standingOf } from "../../../change/standing";
import { bundlesOf, changedFiles } from "../../../change/files";
import { pin } from "../../../change/pin";
import {
  contains,
  containsNetwork,
  formatIp,
  formatNetwork,
  networkSize,
  nthIp,
  parseIp,
  parseNetwork,
} from "../../../config/ip";
import { NOTHING_STANDS, type Standing } from "../../../config/places";
import { formatProblems } from "../../../config/problems";
import type { Spec } from "../../../config/spec";
import { validate } from "../../../config/validate";
import { internalSubnets, network, subnetOf } from "../../../plan/addresses";
import { checkPlan } from "../../../plan/lint/check";
import { plan, type Plan } from "../../../plan/plan";
import { dualStack, type Raw } from "../../support/specs";
import { stateOf } from "../../support/state";
import { NOW } from "../plan/break";

interface Internal {
  cidr: string;
  vip: string;
  builtAs?: string;
}

/** A group of ten servers in each datacenter for each of these slots, beside the first; who stands has to know its own. */
function file(internal: Internal, slots: readonly number[], { groups: known }: Standing): Raw {
  const groups = slots.map((slot) => {
    const name = `more${slot}`;
    return [name, { perDatacenter: 10, ...(name in known ? {} : { slots: [slot] }) }];
  });
  return dualStack({ internal, appServers: { app: {}, ...Object.fromEntries(groups) } });
}

function specOf(internal: Internal, slots: readonly number[], standing: Standing = NOTHING_STANDS): Spec {
  const { spec, problems } = validate(file(internal, slots, standing), "dev", standing);
  if (!spec) throw new Error(formatProblems(problems, "test"));
  return spec;
}

/** How many slots there is room for. */
function room(internal: Internal, slots: readonly number[], standing: Standing): number {
  const fits = (count: number): boolean => {
    const spec = specOf(internal, slots.slice(0, count), standing);
    return checkPlan(spec, plan(spec), NOW).length === 0;
  };
  const first = slots.findIndex((_, index) => !fits(index + 1));
  return first < 0 ? slots.length : first;
}

const addresses = (planned: Plan): Map<string, string> =>
  new Map(everyServer(planned).map(({ id, internal }) => [id, internal]));

/** What it is built as and grows to, and slots that groups get as far as there is room. */
const story = fc
  .record({
    first: fc.integer({ min: 0, max: 255 }),
    length: fc.integer({ min: 20, max: 25 }),
    steps: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    slots: fc.uniqueArray(fc.integer({ min: 2, max: 40 }), { minLength: 1, maxLength: 6 }),
  })
  .map(({ first, length, steps, slots }) => {
    const address = { family: "ipv4" as const, value: parseIp("198.51.0.0")!.value + BigInt(first) * 128n };
    const lengths = steps.reduce((all, step) => [...all, Math.max(16, all.at(-1)! - step)], [length]);
    return { cidrs: lengths.map((each) => formatNetwork(parseNetwork(`${formatIp(address)}/${each}`)!)), slots };
  });

/** What the file says, and what is known of the one before. */
interface Known {
  standing: Standing;
  builtAs?: string;
}

describe("an internal network that grows, however often, leaves all servers where they are", () => {
  const through = (next: (spec: Spec) => Known): void =>
    fc.assert(
      fc.property(story, ({ cidrs: [first, ...larger], slots }) => {
        const vip = formatIp(nthIp(network(first!), 1n));
        let known: Known = { standing: NOTHING_STANDS };
        let before: Plan | undefined;
        for (const cidr of [first!, ...larger]) {
          const internal = { cidr, vip, ...(known.builtAs !== undefined && { builtAs: known.builtAs }) };
          const placed = slots.slice(0, room(internal, slots, known.standing));
          const spec = specOf(internal, placed, known.standing);
          const after = plan(spec);
          const now = addresses(after);
          for (const [id, address] of before ? addresses(before) : []) assert.equal(now.get(id), address, id);
          assert.equal(new Set(now.values()).size, now.size, "two servers have one address");
          assertSubnets(after.internal, before?.internal, [...now.values()]);
          // In one step it is the same.
          assert.deepEqual(addresses(plan(specOf({ cidr, vip, builtAs: first! }, placed))), now);
          known = next(spec);
          before = after;
        }
      }),
      { numRuns: 60 },
    );

  test("by what the state has", () => {
    through((spec) => ({ standing: standingOf(deployed(stateOf(plan(spec)))) }));
  });

  test("by the file alone, when it says what it was built as", () => {
    through((spec) => ({ standing: NOTHING_STANDS, builtAs: pinned(spec) }));
  });
});

/** What `npm run plan -- --pin` writes. */
function pinned(spec: Spec): string {
  const { cidr, vip } = spec.internal;
  const written = pin(new Document({ config: { "ha-cluster:internal": { cidr, vip } } }), spec).toString();
  return (parse(written) as { config: { "ha-cluster:internal": Internal } }).config["ha-cluster:internal"].builtAs!;
}

function assertSubnets(internal: Plan["internal"], before: Plan["internal"] | undefined, all: string[]): void {
  const subnets = internalSubnets(internal);
  const standing = before ? internalSubnets(before) : [];
  assert.deepEqual(subnets.slice(0, standing.length), standing, "one would be replaced");
  const size = subnets.reduce((sum, each) => sum + networkSize(network(each)), 0n);
  assert.equal(size, networkSize(network(internal.cidr)));
  for (const address of all) {
    const subnet = network(subnetOf(internal, address));
    const ip = parseIp(address)!;
    assert.ok(containsNetwork(network(internal.cidr), subnet));
    for (const neighbour of [-1n, 1n]) {
      assert.ok(contains(subnet, { ...ip, value: ip.value + neighbour }), `${address} is reserved in its subnet`);
    }
  }
}

describe("a larger internal network", () => {
  const old = { cidr: "198.51.100.128/25", vip: "198.51.100.129" };
  const now = { ...old, cidr: "198.51.100.0/24" };
  const built = plan(specOf(old, [2]));
  const standing = deployed(stateOf(built));
  const grown = plan(specOf(now, [2], standingOf(standing)));

  test("begins with the one that stands, in the cloud", () => {
    assert.deepEqual(internalSubnets(grown.internal), [old.cidr, "198.51.100.0/25"]);
    assert.deepEqual(internalSubnets(plan(specOf(now, [2])).internal), [now.cidr]);
  });

  test("is told to every server, and restarts nothing", () => {
    const [before, after] = [bundlesOf(built, "sample"), bundlesOf(grown, "sample")];
    assert.deepEqual(Object.keys(after), Object.keys(before));
    for (const id of Object.keys(after)) {
      assert.deepEqual(changedFiles(before[id]!, after[id]!).sort(), [
        "/etc/ha-cluster/addresses",
        "/etc/network/interfaces",
        "/etc/nftables.conf",
      ]);
    }
    assert.deepEqual(
      changeOf(grown, standing).otherLength,
      everyServer(grown).map(({ id }) => id),
    );
    assert.deepEqual(changeOf(built, standing).otherLength, []);
  });

  test("is unknown to whoever was being told when a run was killed", () => {
    const brings = { "lb-dc1": [bundlesOf(built, "sample")["lb-dc1"]!] };
    const bundles = bundlesOf(grown, "sample");
    const half = { ...standing, bundles, rollout: { number: 2, ended: false, brings } };
    assert.deepEqual(changeOf(grown, half).otherLength, ["lb-dc1"]);
  });

  test("is counted through, past what each part gives to nobody", () => {
    const at = (slot: number): string =>
      plan(specOf({ ...now, builtAs: old.cidr }, [slot])).appServers.find(({ id }) => id === `more${slot}-dc1-1`)!
        .internal;
    assert.deepEqual([2, 5].map(at), ["198.51.100.189", "198.51.100.25"]);
  });

  test("that is full says so, whichever end it grew at", () => {
    const full = specOf({ ...now, builtAs: old.cidr }, [9]);
    assert.deepEqual(
      checkPlan(full, plan(full), NOW).map(({ path }) => path),
      ["internal.cidr"],
    );
  });
});
