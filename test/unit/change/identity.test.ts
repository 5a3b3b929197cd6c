import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Document, parse } from "yaml";
import { everyServer } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import { standingOf } from "../../../change/standing";
import { bundlesOf } from "../../../change/files";
import { validate } from "../../../config/validate";
import { NOTHING_STANDS, type Standing } from "../../../config/places";
import { formatProblems } from "../../../config/problems";
import type { Spec } from "../../../config/spec";
import { plan, type Plan } from "../../../plan/plan";
import { pin } from "../../../change/pin";
import { dualStack, type Raw } from "../../support/specs";
import { stateOf } from "../../support/state";

/** What an operator adds, removes and grows; everything else of the file stays. */
interface File {
  datacenters: Record<string, object>;
  appServers: Record<string, { perDatacenter: number | Record<string, number>; slots?: number[] }>;
  vips: Record<string, object>;
  services: Record<string, object>;
}

type Step = { kind: "datacenter" | "group" | "grow" | "vip" | "service"; name: number; amount: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("datacenter", "group", "grow", "vip", "service"),
  name: fc.integer({ min: 0, max: 5 }),
  amount: fc.integer({ min: 1, max: 20 }),
});

/** Some sort before what is there, some after. */
const NAMES = {
  datacenter: ["dc1", "dc2", "dc3", "ams", "dc0", "zrh"],
  group: ["app", "api", "aaa", "worker", "zz", "app-dc1"],
  vip: ["www", "api", "a", "m", "x", "zz"],
  service: ["web", "api", "a", "m", "x", "zz"],
};

/** What is there goes, what is not comes. At least two datacenters, one group, VIP and service stay. */
function changed(file: File, { kind, name, amount }: Step): File {
  switch (kind) {
    case "datacenter": {
      const datacenters = toggled(file.datacenters, NAMES.datacenter[name]!, {}, { least: 2, most: 3 });
      return { ...file, datacenters };
    }
    case "group": {
      const group = NAMES.group[name]!;
      if (group === "app") return file;
      return { ...file, appServers: toggled(file.appServers, group, { perDatacenter: amount }, { least: 1, most: 6 }) };
    }
    case "grow": {
      const groups = Object.keys(file.appServers).sort();
      const group = groups[name % groups.length]!;
      return {
        ...file,
        appServers: { ...file.appServers, [group]: { ...file.appServers[group]!, perDatacenter: amount } },
      };
    }
    case "vip": {
      const vip = NAMES.vip[name]!;
      if (vip === "www") return file;
      const addresses = { ipv4: `203.0.113.${100 + name}`, ipv6: `2001:db8:45:67bb::${name + 1}` };
      return { ...file, vips: toggled(file.vips, vip, addresses, { least: 1, most: 6 }) };
    }
    case "service": {
      const service = NAMES.service[name]!;
      if (service === "web") return file;
      const port = { tcp: 5000 + name, vips: ["www"], servers: "app" };
      return { ...file, services: toggled(file.services, service, port, { least: 1, most: 6 }) };
    }
  }
}

function toggled<T>(map: Record<string, T>, name: string, value: T, { least, most }: { least: number; most: number }) {
  const count = Object.keys(map).length;
  if (!(name in map)) return count < most ? { ...map, [name]: value } : map;
  return count > least ? Object.fromEntries(Object.entries(map).filter(([key]) => key !== name)) : map;
}

const FIRST: File = {
  datacenters: { dc1: {}, dc2: {}, dc3: {} },
  appServers: { app: { perDatacenter: 1 } },
  vips: { www: { ipv4: "203.0.113.100", ipv6: "2001:db8:45:67bb::1", primary: true } },
  services: { web: { http: 80, vips: ["www"], servers: "app" } },
};

function rawOf(file: File): Raw {
  const risk = { acceptedBy: "J. Doe", on: "2026-11-22" };
  return dualStack({
    ...file,
    external: {
      ipv4: { cidr: "203.0.113.0/24", gateway: "203.0.113.1" },
      ipv6: { prefix: "2001:db8::/32", gateway: "2001:db8::1" },
      vipRanges: ["203.0.113.96/28", "2001:db8:45:67bb::/64"],
    },
    internal: { cidr: "198.51.0.0/16", vip: "198.51.0.1" },
    ...(Object.keys(file.datacenters).length === 2 ? { quorumRisk: risk } : {}),
  });
}

function specOf(file: File, standing: Standing): Spec | undefined {
  const { spec, problems } = validate(rawOf(file), "dev", standing);
  // Two names may give one server, which is refused.
  if (!spec && problems.every(({ cause }) => /a name that .* uses too/.test(cause))) return undefined;
  if (!spec) throw new Error(formatProblems(problems, "test"));
  return spec;
}

/** All that is a server's own: nothing of it may change because of a neighbour. */
function identities(planned: Plan): Map<string, string> {
  return new Map(
    everyServer(planned).map((node) => [
      node.id,
      JSON.stringify({
        hostname: node.hostname,
        zone: node.availabilityZone,
        internal: node.internal,
        subnet: node.ipv6Subnet,
        external: "external" in node ? node.external : undefined,
        priority: "basePriority" in node ? node.basePriority : undefined,
        routers:
          "syncGroup" in node ? node.syncGroup.instances.map(({ routerId, priority }) => [routerId, priority]) : [],
        port: "port" in node ? node.port : undefined,
      }),
    ]),
  );
}

function assertStays(before: Plan, after: Plan): void {
  const [old, now] = [identities(before), identities(after)];
  for (const [id, identity] of old) if (now.has(id)) assert.equal(now.get(id), identity, id);
  const addresses = everyServer(after).map(({ internal }) => internal);
  assert.equal(new Set(addresses).size, addresses.length, "two servers have one address");
  // Whoever comes waits for nobody's address to become free, if there is another.
  const left = new Set(
    everyServer(before)
      .filter(({ id }) => !now.has(id))
      .map(({ internal }) => internal),
  );
  for (const node of everyServer(after)) {
    if (!old.has(node.id) && node.role === "app-server") {
      const sameGroup = everyServer(before).some((each) => "group" in each && each.group === node.group);
      if (!sameGroup) assert.ok(!left.has(node.internal), `${node.id} takes ${node.internal} over`);
    }
  }
}

/** What names a server that came or went. */
function tokens(before: Plan, after: Plan): string[] {
  const [old, now] = [everyServer(before), everyServer(after)];
  const others = [
    ...old.filter(({ id }) => !now.some((node) => node.id === id)),
    ...now.filter(({ id }) => !old.some((node) => node.id === id)),
  ];
  const relays = [before, after].flatMap((each) =>
    each.loadBalancers.flatMap(({ relay }) => [relay.self, ...relay.peers]),
  );
  return others
    .flatMap((node) => [
      node.hostname,
      node.internal,
      ...("external" in node ? Object.values(node.external) : []),
      ...relays.filter(({ internal }) => internal === node.internal).flatMap(({ mac, linkLocal }) => [mac, linkLocal]),
    ])
    .sort((a, b) => b.length - a.length);
}

/**
 * Lines of one text that have no counterpart in the other and name nobody who came or went. Lists lose those words before
 * they are compared; which of the databases stands by is decided anew when the one that writes goes.
 */
function strangeLines(text: string, other: string, words: string[]): string[] {
  const named = new RegExp(`(?<![0-9a-z.:-])(${words.map(escaped).join("|")})(?![0-9a-z.:])`, "g");
  const bare = (line: string): string =>
    line.replaceAll(named, "").replaceAll(/ backup\b|dup to +device "ha-relay"|[\s,{}"]+/g, "");
  const there = new Map<string, number>();
  for (const line of other.split("\n")) there.set(bare(line), (there.get(bare(line)) ?? 0) + 1);
  return text.split("\n").filter((line) => {
    const left = there.get(bare(line)) ?? 0;
    there.set(bare(line), left - 1);
    return left <= 0 && bare(line) !== "" && line.replaceAll(named, "") === line;
  });
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** As `npm run plan -- --pin` leaves it. */
function pinned(file: File, spec: Spec): File {
  const keys = ["datacenters", "appServers", "vips", "services"] as const;
  const config = Object.fromEntries(keys.map((key) => [`ha-cluster:${key}`, file[key]]));
  const written = parse(pin(new Document({ config }), spec).toString()) as { config: Record<string, unknown> };
  return Object.fromEntries(keys.map((key) => [key, written.config[`ha-cluster:${key}`]])) as unknown as File;
}

const steps = fc.array(step, { minLength: 1, maxLength: 12 });

describe("any sequence of datacenters, groups, VIPs and services that come, go and grow leaves all others where they are", () => {
  const through = (next: (file: File, spec: Spec, planned: Plan) => { file: File; standing: Standing }): void =>
    fc.assert(
      fc.property(steps, (all) => {
        let { file, standing } = { file: FIRST, standing: NOTHING_STANDS };
        let spec = specOf(file, standing)!;
        let before = plan(spec);
        for (const each of all) {
          ({ file, standing } = next(file, spec, before));
          const target = changed(file, each);
          const now = specOf(target, standing);
          if (!now) continue;
          const after = plan(now);
          assertStays(before, after);
          [file, spec, before] = [target, now, after];
        }
      }),
      { numRuns: 60 },
    );

  test("when the file says nothing, by what the state has", () => {
    through((file, _, planned) => ({ file, standing: standingOf(deployed(stateOf(planned))) }));
  });

  test("when the slots are written down, by the file alone", () => {
    through((file, spec) => ({ file: pinned(file, spec), standing: NOTHING_STANDS }));
  });
});

test("files of those that stay differ only in lines that name who came or went", () => {
  fc.assert(
    fc.property(steps, (all) => {
      let file = FIRST;
      let before = plan(specOf(file, NOTHING_STANDS)!);
      for (const each of all.filter(({ kind }) => ["datacenter", "group", "grow"].includes(kind))) {
        const target = changed(file, each);
        const spec = specOf(target, standingOf(deployed(stateOf(before))));
        if (!spec) continue;
        const after = plan(spec);
        const names = tokens(before, after);
        const [old, now] = [bundlesOf(before, ""), bundlesOf(after, "")];
        const stay = Object.keys(old).filter((id) => id in now);
        for (const id of names.length === 0 ? [] : stay) {
          assert.deepEqual(strangeLines(now[id]!, old[id]!, names), [], id);
          assert.deepEqual(strangeLines(old[id]!, now[id]!, names), [], id);
        }
        [file, before] = [target, after];
      }
    }),
    { numRuns: 40 },
  );
});

test("a group under another name, with its first one noted, is the same to every server", () => {
  const groups = (name: string, more: object = {}): Raw => ({
    appServers: { [name]: { perDatacenter: 12, ...more }, other: {} },
    services: { web: { http: 80, https: 443, certificate: "www", servers: name, healthCheck: "/healthz" } },
  });
  const specOfRaw = (raw: Raw, standing = NOTHING_STANDS): Spec => {
    const { spec, problems } = validate(raw, "dev", standing);
    if (!spec) throw new Error(formatProblems(problems, "test"));
    return spec;
  };
  const built = plan(specOfRaw(dualStack(groups("app"))));
  const standing = standingOf(deployed(stateOf(built)));
  // It sorts after the other one, whose slot it must not take.
  const spec = specOfRaw(dualStack(groups("web", { serversNamed: "app" })), standing);
  const renamed = plan(spec);
  assert.deepEqual(bundlesOf(renamed, "sample"), bundlesOf(built, "sample"));
  const byUrn = (planned: Plan): Map<string, unknown> => new Map(stateOf(planned).map((each) => [each.urn, each]));
  assert.deepEqual(byUrn(renamed), byUrn(built));
  assert.deepEqual(pin(new Document({ config: {} }), spec).toJS(), {
    config: {
      "ha-cluster:datacenters": { dc1: { slot: 1 }, dc2: { slot: 2 }, dc3: { slot: 3 } },
      "ha-cluster:internal": { builtAs: "198.51.100.0/24" },
      "ha-cluster:appServers": { other: { slots: [3] }, web: { slots: [1, 2] } },
    },
  });
});

test("a group that comes gets no address of one that goes in the same run: that is free at the end only", () => {
  const groups = (...names: string[]): Raw =>
    dualStack({ appServers: Object.fromEntries(names.map((name) => [name, {}])) });
  const addresses = ({ appServers }: Plan, group: string): string[] =>
    appServers.filter((each) => each.group === group).map(({ internal }) => internal);
  const { spec: before } = validate(groups("app", "old"), "dev");
  const built = plan(before!);
  const { spec } = validate(groups("app", "neu"), "dev", standingOf(deployed(stateOf(built))));
  const now = plan(spec!);
  assert.deepEqual(addresses(now, "app"), addresses(built, "app"));
  for (const each of addresses(now, "neu")) assert.ok(!addresses(built, "old").includes(each), each);
});
