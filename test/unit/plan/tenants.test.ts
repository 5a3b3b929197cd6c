import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { otherStackFiles } from "../../../config/folder";
import { deployed } from "../../../change/deployed";
import { heldBy } from "../../../change/held";
import type { Problem } from "../../../config/problems";
import { plan } from "../../../plan/plan";
import { checkTenants, type Held, NOTHING_HELD } from "../../../plan/lint/tenants";
import { type Tenant, tenantsOf } from "../../../plan/tenants";
import { temporaryFolder } from "../../support/folder";
import { dualStack, existing, type Raw, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

/** What the provider gave a customer, each a number of its own. */
interface Given {
  name: string;
  /** First of three in 203.0.113.0/24. */
  own: number;
  vip: number;
  /** Of the /64s. */
  first: number;
  vip6: string;
}

const given = (number: number): Given => ({
  name: `customer${number}`,
  own: 20 + 10 * number,
  vip: 110 + number,
  first: 0x100 * (number + 1),
  vip6: `2001:db8:45:a${number}::1`,
});

function rawOf({ own, vip, first, vip6 }: Given): Raw {
  return dualStack({
    external: {
      ipv4: {
        cidr: "203.0.113.0/24",
        gateway: "203.0.113.1",
        loadBalancers: [`203.0.113.${own}-203.0.113.${own + 2}`],
      },
      ipv6: {
        prefix: "2001:db8:45::/48",
        gateway: "2001:db8:45::1",
        firstSubnet: `2001:db8:45:${first.toString(16)}::/64`,
      },
      vipRanges: [`203.0.113.${vip}`, `${vip6}/128`],
    },
    vips: { www: { ipv4: `203.0.113.${vip}`, ipv6: vip6 } },
  });
}

function tenant(raw: Raw, name: string, cloud = "provider"): Tenant {
  const spec = specOf(raw, name);
  return { file: `Pulumi.${name}.yaml`, cloud, spec, plan: plan(spec) };
}

/** Of a stack that was not built yet. */
const refused = (own: Tenant, other: Tenant, held: Held = NOTHING_HELD): Problem[] => {
  const found = checkTenants(own, [other], held);
  if (!held.built) assert.deepEqual(found.warnings, []);
  return found.problems;
};

const of = (each: Given): Tenant => tenant(rawOf(each), each.name);

/** By what two customers have both: the keys that are named, on either side. */
const SHARED: Record<string, { given: (other: Given) => Partial<Given>; here: string; there: string }> = {
  "a VIP": { given: ({ vip }) => ({ vip }), here: "vips.www.ipv4", there: "vips.www.ipv4" },
  "an IPv6 VIP": { given: ({ vip6 }) => ({ vip6 }), here: "vips.www.ipv6", there: "vips.www.ipv6" },
  "an own address": {
    given: ({ own }) => ({ own: own + 2 }),
    here: "external.ipv4.loadBalancers",
    there: "external.ipv4.loadBalancers",
  },
  "an own address that is a VIP": {
    given: ({ vip }) => ({ own: vip - 1 }),
    here: "external.ipv4.loadBalancers",
    there: "vips.www.ipv4",
  },
  "a /64": {
    given: ({ first }) => ({ first: first + 0x16 }),
    here: "external.ipv6.firstSubnet",
    there: "external.ipv6.firstSubnet",
  },
  "a /64 that a VIP is in": {
    given: ({ first }) => ({ vip6: `2001:db8:45:${first.toString(16)}::99` }),
    here: "vips.www.ipv6",
    there: "external.ipv6.firstSubnet",
  },
};

describe("stack files of customers on one network", () => {
  const two = fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 2, maxLength: 2 });

  test("that share nothing", () => {
    fc.assert(
      fc.property(two, ([a, b]) => {
        const [own, other] = [of(given(a!)), of(given(b!))];
        assert.deepEqual(refused(own, other), []);
      }),
      { numRuns: 30 },
    );
  });

  for (const [what, { given: taken, here, there }] of Object.entries(SHARED)) {
    test(`that share ${what}: both name both keys`, () => {
      fc.assert(
        fc.property(two, ([a, b]) => {
          const theirs = given(b!);
          const own = of({ ...given(a!), ...taken(theirs) });
          const other = of(theirs);
          for (const [one, another, path, key] of [
            [own, other, here, there],
            [other, own, there, here],
          ] as const) {
            const found = refused(one, another).filter(
              (problem) => problem.path !== "external.vipRanges[0]" && problem.path !== "external.vipRanges[1]",
            );
            assert.ok(found.length > 0);
            for (const problem of found) {
              assert.equal(problem.path, path);
              assert.ok(problem.cause.includes(`\`${key}\``) && problem.cause.includes(another.file), problem.cause);
            }
          }
        }),
        { numRuns: 20 },
      );
    });
  }

  test("that the defaults of a whole network give: each address, and the /64s once", () => {
    const [own, other] = [tenant(dualStack(), "one"), tenant(dualStack(), "two")];
    const problems = refused(own, other);
    assert.deepEqual(problems.map(({ path }) => path).sort(), [
      "external.ipv4.loadBalancers",
      "external.ipv4.loadBalancers",
      "external.ipv4.loadBalancers",
      "external.ipv6.firstSubnet",
      "external.vipRanges[0]",
      "external.vipRanges[1]",
      "vips.www.ipv4",
      "vips.www.ipv6",
    ]);
    const cause = (wanted: string): string => problems.find(({ path }) => path === wanted)!.cause;
    assert.match(
      cause("external.ipv6.firstSubnet"),
      /^lb-dc3's 2001:db8:45:d::\/64 is lb-dc3's in Pulumi\.two\.yaml \(`external\.ipv6\.firstSubnet`\) as well, and so are 8 more$/,
    );
    assert.equal(
      cause("external.vipRanges[1]"),
      "2001:db8:45:67bb::/64 overlaps 2001:db8:45:67bb::/64, `external.vipRanges[1]` of Pulumi.two.yaml",
    );
  });

  test("keep nobody from running: what a stack has already is a warning, what it is to have is refused", () => {
    const [own, other] = [of(given(1)), of({ ...given(1), name: "copy" })];
    const all = refused(own, other);
    const held = heldBy(deployed(stateOf(own.plan)));
    assert.deepEqual(checkTenants(own, [other], held), { problems: [], warnings: all });

    // Each of them by itself, on a stack that has all others.
    for (const [what, { given: taken, here }] of Object.entries(SHARED)) {
      const theirs = given(2);
      const now = of({ ...given(1), ...taken(theirs) });
      const paths = checkTenants(now, [of(theirs)], held).problems.map(({ path }) => path);
      assert.deepEqual([...new Set(paths)], [here], what);
    }
  });

  test("are not compared where the networks have other names, or one of them is the embedded cloud's", () => {
    const raw = dualStack();
    const elsewhere = { ...raw, external: { ...(raw.external as object), network: "public" } };
    assert.deepEqual(refused(tenant(raw, "one"), tenant(elsewhere, "two")), []);
    assert.deepEqual(refused(tenant(raw, "one"), tenant(raw, "two", "lab-dev")), []);
    assert.notDeepEqual(refused(tenant(raw, "one", "lab-x"), tenant(raw, "two", "lab-dev")), []);
  });

  test("have names of their own in one project, in another the same", () => {
    const named = (number: number, name: string, cloud?: string): Tenant =>
      tenant({ ...rawOf(given(number)), customer: "acme" }, name, cloud);
    const [problem, ...others] = refused(named(1, "one"), named(2, "two"));
    assert.deepEqual([problem!.path, others], ["customer", []]);
    assert.match(problem!.cause, /^is acme in Pulumi\.two\.yaml too, in the same project/);
    const renamed = (number: number, clusterName: string): Tenant =>
      tenant({ ...rawOf(given(number)), customer: "acme", clusterName }, clusterName);
    const alike = checkTenants(renamed(1, "web"), [renamed(2, "shop")], NOTHING_HELD);
    assert.deepEqual([alike.problems, alike.warnings.map(({ path }) => path)], [[], ["customer"]]);
    assert.deepEqual(refused(named(1, "one"), named(2, "two", "another")), []);
    const first = tenant({ ...rawOf(given(2)), customer: "b", clusterName: "acme" }, "two");
    assert.deepEqual(
      refused(tenant({ ...rawOf(given(1)), customer: "a", clusterName: "acme" }, "one"), first).map(({ path }) => path),
      ["clusterName"],
    );
  });

  test("have router ids of their own where one of them speaks multicast", () => {
    const hosts = (number: number, raw: Raw): Tenant => {
      const host = (index: number): object => ({
        ...(existing().machines as { loadBalancers: Record<string, object> }).loadBalancers[`dc${index}`],
        external: { ipv4: `203.0.113.${200 + 10 * number + index}`, ipv6: `2001:db8:45:${number}0${index}::1` },
      });
      const { external, vips } = rawOf(given(number)) as { external: { ipv4: object; ipv6: object }; vips: object };
      const { ipv4, ipv6 } = dualStack().external as { ipv4: object; ipv6: object };
      return tenant(
        existing("debian-12", {
          external: { ...external, ipv4, ipv6 },
          vips,
          machines: { ...(existing().machines as object), loadBalancers: { dc1: host(1), dc2: host(2), dc3: host(3) } },
          ...raw,
        }),
        `hosts${number}`,
      );
    };
    const speaking = (transport: string, ipv4: number): Raw => ({
      vrrp: { transport, routerIds: { ipv4, ipv6: 14, internal: 13 } },
    });
    const paths = (a: Raw, b: Raw): string[] => refused(hosts(1, a), hosts(2, b)).map(({ path }) => path);
    assert.deepEqual(paths(speaking("multicast", 12), speaking("unicast", 12)), ["vrrp.routerIds.ipv4"]);
    assert.deepEqual(paths(speaking("unicast", 12), speaking("multicast", 12)), ["vrrp.routerIds.ipv4"]);
    assert.deepEqual(paths(speaking("unicast", 12), speaking("unicast", 12)), []);
    assert.deepEqual(paths(speaking("multicast", 12), speaking("multicast", 22)), []);
    const elsewhere: Raw = {
      ...speaking("multicast", 12),
      external: { ipv4: { cidr: "192.0.2.0/24", gateway: "192.0.2.1" }, vipRanges: ["192.0.2.96/28"] },
      vips: { www: { ipv4: "192.0.2.100" } },
      machines: {
        ...(existing().machines as object),
        loadBalancers: Object.fromEntries(
          Object.entries((existing().machines as { loadBalancers: Record<string, object> }).loadBalancers).map(
            ([name, host], index) => [name, { ...host, external: { ipv4: `192.0.2.1${index}` } }],
          ),
        ),
      },
    };
    assert.deepEqual(paths(speaking("multicast", 12), elsewhere), []);
    const raw = rawOf({ ...given(0), own: 211, first: 0x900 });
    const made = tenant({ ...raw, external: { ...(raw.external as object), network: "public" } }, "made");
    assert.deepEqual(
      refused(made, hosts(1, speaking("unicast", 12))).map(({ path, cause }) => [path, /`[^`]+`/.exec(cause)![0]]),
      [
        ["external.ipv4.loadBalancers", "`machines.loadBalancers.dc3.external.ipv4`"],
        ["external.ipv4.loadBalancers", "`machines.loadBalancers.dc2.external.ipv4`"],
        ["external.ipv4.loadBalancers", "`machines.loadBalancers.dc1.external.ipv4`"],
      ],
    );
  });
});

test("a folder's other stacks are read, whatever is wrong with one of them", () => {
  const folder = temporaryFolder();
  try {
    const write = (name: string, text: string): void => writeFileSync(join(folder.path, name), text);
    const good = Object.entries(rawOf(given(1)))
      .filter(([key]) => !["certificates", "rootSecret", "services"].includes(key))
      .map(([key, value]) => `  ha-cluster:${key}: ${JSON.stringify(value)}\n`)
      .join("");
    const secret =
      '  ha-cluster:rootSecret: { secure: "v1:AAAA:AAAA" }\n  ha-cluster:services: { web: { http: 80 } }\n';
    write("Pulumi.good.yaml", "");
    assert.deepEqual(otherStackFiles(folder.path, "own"), [], "a folder of no project");
    write("Pulumi.yaml", "name: ha-cluster\n");
    write("Pulumi.own.yaml", "no: yaml: at all\n");
    write("Pulumi.good.yaml", `config:\n  openstack:cloud: theirs\n${good}${secret}`);
    write("Pulumi.bad.yaml", "config:\n  ha-cluster:vips: {}\n");
    write("Pulumi.tab.yaml", "config:\n\tx: 1\n");
    mkdirSync(join(folder.path, "Pulumi.folder.yaml"));
    const { tenants, warnings } = tenantsOf(otherStackFiles(folder.path, "own"));
    assert.deepEqual(
      tenants.map(({ file, cloud, spec }) => [file, cloud, spec.customer]),
      [["Pulumi.good.yaml", "theirs", "good"]],
    );
    assert.deepEqual(
      warnings.map(({ path, mend }) => [path, mend]),
      ["bad", "folder", "tab"].map((name) => [
        `(Pulumi.${name}.yaml)`,
        `\`npm run plan -- ${name} --alone\` shows them`,
      ]),
    );
  } finally {
    folder.remove();
  }
});
