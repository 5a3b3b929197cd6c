import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatProblems } from "../../../config/problems";
import { checkPlan } from "../../../plan/lint/check";
import { plan } from "../../../plan/plan";
import { dualStack, ipv4Only, specOf, type Raw } from "../../support/specs";
import { existingStack } from "../config/fixtures/bad-stacks";
import { NOW } from "./break";

test("the plan of load balancers that exist has no problem", () => {
  const spec = specOf(existingStack());
  assert.deepEqual(checkPlan(spec, plan(spec), NOW), []);
});

const LETTERS = ["a", "b", "c", "d"];

/** One to four VIPs, the first of which is the primary one. */
function vips(hasIpv6: boolean): fc.Arbitrary<Record<string, object>> {
  return fc
    .tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.constantFrom("ipv4", "ipv6", "both"), { minLength: 4, maxLength: 4 }),
    )
    .map(([count, families]) =>
      Object.fromEntries(
        LETTERS.slice(0, count).map((name, index) => {
          const family = !hasIpv6 ? "ipv4" : index === 0 && families[index] === "ipv6" ? "both" : families[index];
          return [
            `vip-${name}`,
            {
              ...(family === "ipv6" ? {} : { ipv4: `203.0.113.${100 + index}` }),
              ...(family === "ipv4" ? {} : { ipv6: `2001:db8:45:67bb::${index + 1}` }),
              primary: index === 0,
            },
          ];
        }),
      ),
    );
}

/** One to four services; each has ports that no other one has, now and then the usual ones. */
function services(names: string[], groups: string[]): fc.Arbitrary<Record<string, object>> {
  const service = fc.record({
    kind: fc.constantFrom("http", "https", "both", "redirect", "tcp"),
    vips: fc.option(fc.subarray(names, { minLength: 1 }), { nil: undefined }),
    servers: fc.constantFrom(...groups),
  });
  return fc.array(service, { minLength: 1, maxLength: 4 }).map((all) =>
    Object.fromEntries(
      all.map(({ kind, vips: given, servers }, index) => [
        `service-${LETTERS[index]!}`,
        {
          ...(kind === "tcp" ? { tcp: 5000 + index } : {}),
          ...(["http", "both", "redirect"].includes(kind) ? { http: 80 + 1000 * index } : {}),
          ...(["https", "both", "redirect"].includes(kind) ? { https: 443 + 1000 * index, certificate: "www" } : {}),
          ...(kind === "redirect" ? { redirect: true } : {}),
          ...(given ? { vips: given } : {}),
          servers,
        },
      ]),
    ),
  );
}

const stack: fc.Arbitrary<Raw> = fc
  .record({
    hasIpv6: fc.boolean(),
    two: fc.boolean(),
    groups: fc.integer({ min: 1, max: 3 }),
    count: fc.integer({ min: 1, max: 4 }),
    port: fc.constantFrom(8080, 9000, 3306),
    database: fc.constantFrom(3306, 3307, 9200),
    advertInterval: fc.oneof(
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 10, max: 99 }).map((each) => each / 100),
    ),
    ids: fc.uniqueArray(fc.integer({ min: 1, max: 255 }), { minLength: 3, maxLength: 3 }),
    allowedFrom: fc.subarray(["0.0.0.0/0", "::/0", "198.51.100.0/24", "203.0.113.9", "2001:db8:ffff::/48"], {
      minLength: 1,
    }),
  })
  .chain((choice) => vips(choice.hasIpv6).map((chosen) => ({ ...choice, chosen })))
  .chain((choice) => {
    const groups = LETTERS.slice(0, choice.groups).map((name) => `app${name}`);
    return services(Object.keys(choice.chosen), groups).map((served) =>
      (choice.hasIpv6 ? dualStack : ipv4Only)({
        vips: choice.chosen,
        services: served,
        appServers: Object.fromEntries(
          groups.map((name) => [name, { perDatacenter: choice.count, port: choice.port }]),
        ),
        database: { port: choice.database },
        vrrp: {
          advertInterval: choice.advertInterval,
          routerIds: { ipv4: choice.ids[0], ipv6: choice.ids[1], internal: choice.ids[2] },
        },
        ssh: { allowedFrom: choice.allowedFrom },
        ...(choice.two
          ? { datacenters: { dc1: {}, dc2: {} }, quorumRisk: { acceptedBy: "J. Doe", on: "2026-11-22" } }
          : {}),
      }),
    );
  });

test("the plan of a stack without problems has none", () => {
  fc.assert(
    fc.property(stack, (raw) => {
      const spec = specOf(raw);
      const problems = checkPlan(spec, plan(spec), NOW);
      assert.deepEqual(problems, [], formatProblems(problems, "plan"));
    }),
    { numRuns: 100 },
  );
});
