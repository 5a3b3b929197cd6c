import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { changeOf, matched } from "../../../change/change";
import { deployed, type Resource, vipPort } from "../../../change/deployed";
import type { Problem } from "../../../config/problems";
import { plan } from "../../../plan/plan";
import { dualStack, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

/*
 * What is asked of the cloud before anything is made, and what is said of its answers. The lab shows that a real one answers so
 * (test/lab/6-refusals.test.ts).
 */

interface Image {
  id: string;
  properties?: Record<string, string>;
}

const BOOKWORM = { os_distro: "debian", os_version: "12" };
const TRIXIE = { os_distro: "debian", os_version: "13" };
const FLAVORS: Record<string, number> = { "m1.small": 10, "m1.tiny": 1, "m1.medium": 20 };

const cloud = {
  images: {} as Record<string, Image>,
  zones: ["dc1", "dc2", "dc3", "dc4"] as string[] | undefined,
  subnets: [] as string[],
  servers: {} as Record<string, { availabilityZone: string; flavorName: string }>,
  /** By address, the port that has it. */
  ports: {} as Record<string, { id: string; name: string; deviceId: string }>,
};

function answer(token: string, inputs: Record<string, unknown>): object {
  const name = String(inputs["name"]);
  const known = <T>(found: T | undefined): T => {
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  switch (token.split(":").at(-1)) {
    case "getImage":
      return known(cloud.images[name]);
    case "getImageIds": {
      const wanted = Object.entries((inputs["properties"] ?? {}) as Record<string, string>);
      const alike = Object.values(cloud.images).filter(({ properties = {} }) =>
        wanted.every(([key, value]) => properties[key] === value),
      );
      return { ids: alike.map(({ id }) => id) };
    }
    case "getAvailabilityZones":
      return { names: known(cloud.zones) };
    case "getInstanceV2":
      return known(cloud.servers[String(inputs["id"])]);
    case "getFlavor":
      return { disk: known(FLAVORS[name]) };
    case "getSubnet":
      assert.equal(inputs["networkId"], "id-of-external");
      return { id: known(cloud.subnets.find((each) => each === inputs["cidr"])) };
    case "getPortIds": {
      assert.equal(inputs["networkId"], "id-of-external");
      const port = cloud.ports[String(inputs["fixedIp"])];
      return { ids: port === undefined ? [] : [port.id] };
    }
    case "getPort":
      return Object.values(cloud.ports).find(({ id }) => id === inputs["portId"])!;
    case "getNetwork":
      return { id: `id-of-${name}` };
    default:
      throw new Error(`nobody asks for ${token}`);
  }
}

before(() =>
  pulumi.runtime.setMocks({
    newResource: () => {
      throw new Error("nothing is made");
    },
    call: ({ token, inputs }) => answer(token, inputs as Record<string, unknown>),
  }),
);

/** All that is said against a change of the cluster that a stack file made. */
async function said(changes: Parameters<typeof dualStack>[0], state: Resource[] = standing()): Promise<Problem[]> {
  const { askCloud, objections } = await import("../../../components/machines/ask");
  const spec = specOf(dualStack(changes));
  const planned = plan(spec);
  const now = deployed(state);
  const intent = { mayDelete: [], mayReplace: spec.mayReplace, mayRepair: [] };
  const { cloud: answers, problems } = await askCloud(planned, matched(planned, now), intent);
  return [...problems, ...(await objections(planned, now, changeOf(planned, now, intent, answers)))];
}

function standing(): Resource[] {
  return stateOf(plan(specOf(dualStack())));
}

/** Each image has what these properties say. */
function images(debian12: Image["properties"], next: Image["properties"]): void {
  cloud.images = {
    "debian-12": { id: "id-of-debian-12", ...(debian12 && { properties: debian12 }) },
    next: { id: "id-of-next", ...(next && { properties: next }) },
  };
}

const paths = (problems: Problem[]): string[] => problems.map(({ path }) => path);

test("nothing is said against a file that changes nothing", async () => {
  images(BOOKWORM, TRIXIE);
  assert.deepEqual(await said({}), []);
});

test("a database stays on its release, where images say what they hold", async () => {
  images(BOOKWORM, TRIXIE);
  const [problem, ...others] = await said({ image: "next", mayReplace: ["db-dc3", "app-dc1-1", "lb-dc1"] });
  assert.deepEqual(others, []);
  assert.equal(problem!.path, "database.image");
  assert.match(
    problem!.cause,
    /^next is debian 13, and dev-db-dc\d is of another release: db-dc3 could not take its data/,
  );
  images(BOOKWORM, BOOKWORM);
  assert.deepEqual(await said({ image: "next", mayReplace: ["db-dc3"] }), []);
  for (const [old, next] of [
    [undefined, TRIXIE],
    [BOOKWORM, undefined],
    [{ ...BOOKWORM, os_version: "12.7" }, BOOKWORM],
    [BOOKWORM, { ...BOOKWORM, os_version: "12.7" }],
  ] as const) {
    images(old, next);
    assert.deepEqual(await said({ image: "next", mayReplace: ["db-dc3"] }), []);
  }
});

test("only what Debian calls one release is one: 12 and 12.7, not Ubuntu's 22.04 and 22.10", async () => {
  images({ os_distro: "ubuntu", os_version: "22.10" }, { os_distro: "ubuntu", os_version: "22.04" });
  assert.deepEqual(paths(await said({ image: "next", mayReplace: ["db-dc3"] })), ["database.image"]);
});

test("so does one that was lost, or comes with another datacenter, and a first build is free", async () => {
  images(BOOKWORM, TRIXIE);
  const lost = standing().filter(({ urn }) => !/::db-dc2(-config|-scripts)?$/.test(urn));
  assert.deepEqual(paths(await said({ image: "next" }, lost)), ["database.image"]);
  assert.deepEqual(await said({ database: { image: "debian-12" }, image: "next" }, lost), []);
  assert.deepEqual(await said({ image: "next" }, []), []);
});

test("one that is of another release than the others may come back to theirs", async () => {
  images(BOOKWORM, TRIXIE);
  const astray = standing().map((each) =>
    each.urn.endsWith(":Instance::db-dc3") ? { ...each, outputs: { ...each.outputs, imageId: "id-of-next" } } : each,
  );
  assert.deepEqual(await said({ mayReplace: ["db-dc3"] }, astray), []);
});

test("a load balancer goes to another release only without the versions of the old one", async () => {
  images(BOOKWORM, TRIXIE);
  const packages = { haproxy: "2.6.12-1", keepalived: "1:2.2.7-1" };
  const pinned = stateOf(plan(specOf(dualStack({ loadBalancers: { packages } }))));
  const asked = (loadBalancers: object, mayReplace = ["lb-dc3"]): Promise<Problem[]> =>
    said({ loadBalancers: { image: "next", ...loadBalancers }, mayReplace }, pinned);
  const [problem, ...others] = await asked({ packages });
  assert.deepEqual(others, []);
  assert.equal(problem!.path, "loadBalancers.packages");
  assert.match(
    problem!.cause,
    /^next is debian 13, and `haproxy 2\.6\.12-1` and `keepalived 1:2\.2\.7-1` came with the release that dev-lb-dc3 is of$/,
  );
  assert.deepEqual(await asked({ packages }, []), [], "it stays on its own");
  assert.deepEqual(await asked({}), []);
  assert.deepEqual(await asked({ packages: { haproxy: "3.0.11-1", keepalived: "1:2.3.3-1" } }), []);
  assert.deepEqual(await asked({ packages: { haproxy: "2.6.12" } }), [], "no version that they have begins so");
  images(BOOKWORM, BOOKWORM);
  assert.deepEqual(await asked({ packages }), []);
});

test("an image that isn't there stops only what would be made of it", async () => {
  images(BOOKWORM, TRIXIE);
  assert.deepEqual(await said({ image: "gone" }), []);
  const [problem, ...others] = await said({ image: "gone", mayReplace: ["lb-dc1"] });
  assert.deepEqual(others, []);
  assert.equal(problem!.path, "image");
  assert.match(problem!.cause, /^gone is no image of this cloud/);
  assert.deepEqual(paths(await said({ database: { image: "gone" }, mayReplace: ["db-dc1"] })), ["database.image"]);
});

test("a zone that isn't there is said, unless zones may not be asked for", async () => {
  images(BOOKWORM, TRIXIE);
  const datacenters = { dc1: {}, dc2: {}, dc3: { availabilityZone: "nowhere" } };
  const mayReplace = ["lb-dc3", "db-dc3", "app-dc3-1"];
  cloud.servers = {};
  for (const { urn, id } of standing()) {
    const zone = /instance:Instance::.*(dc\d)/.exec(urn)?.[1];
    if (zone !== undefined) cloud.servers[id!] = { availabilityZone: zone, flavorName: "m1.small" };
  }
  assert.deepEqual(paths(await said({ datacenters, mayReplace })), ["datacenters.dc3.availabilityZone"]);
  cloud.zones = undefined;
  assert.deepEqual(await said({ datacenters, mayReplace }), []);
  cloud.zones = ["dc1", "dc2", "dc3", "dc4"];
  cloud.servers = {};
  const unasked = await said({ datacenters: { dc1: {}, dc2: {}, dc3: { availabilityZone: "dc4" } } });
  assert.match(unasked[0]!.cause, /Nova can't be asked where dev-\S+ stands/);
});

test("a flavor with a smaller disk, or that isn't there, is refused before anybody says farewell", async () => {
  images(BOOKWORM, TRIXIE);
  const [smaller] = await said({ database: { flavor: "m1.tiny" } });
  assert.equal(smaller!.path, "database.flavor");
  assert.match(smaller!.cause, /m1\.tiny has a disk of 1 GiB, and dev-db-dc\d one of 10 GiB \(m1\.small\)/);
  const [unknown] = await said({ loadBalancers: { flavor: "m9" } });
  assert.match(unknown!.cause, /^m9 is no flavor of this cloud/);
  assert.deepEqual(await said({ database: { flavor: "m1.medium" } }), []);
});

test("an external network that is no subnet is refused, and nobody asks where none changes", async () => {
  images(BOOKWORM, TRIXIE);
  const external = {
    ipv4: { cidr: "203.0.113.0/24", gateway: "203.0.113.1" },
    ipv6: { prefix: "2001:db8:46::/48", gateway: "2001:db8:46::1", former: "2001:db8:45::/48" },
    vipRanges: ["203.0.113.96/28", "2001:db8:45:67bb::/64"],
  };
  const [problem, ...others] = await said({ external });
  assert.deepEqual(others, []);
  assert.equal(problem!.path, "external.ipv6.prefix");
  assert.match(problem!.cause, /^2001:db8:46::\/48 is no subnet of external: /);
  cloud.subnets = ["2001:db8:46::/48"];
  assert.deepEqual(await said({ external }), []);
  cloud.subnets = [];
  assert.deepEqual(await said({}), []);
});

test("addresses that somebody has are named, each with its port, unless they are the cluster's", async () => {
  images(BOOKWORM, BOOKWORM);
  const [vip, vip6, own, later] = ["203.0.113.100", "2001:db8:45:67bb::1", "203.0.113.13", "203.0.113.110"];
  cloud.ports = {
    [vip]: { id: "p1", name: "somebody", deviceId: "" },
    [vip6]: { id: "p2", name: "", deviceId: "machine-7" },
    [own]: { id: "p3", name: "dev-lb-dc3-external", deviceId: "" },
    [later]: { id: "p4", name: "", deviceId: "" },
  };
  try {
    const first = await said({}, []);
    assert.deepEqual(
      first.map(({ path, cause }) => [path, cause]),
      [
        ["vips.www.ipv4", "203.0.113.100 is taken: port somebody (p1) has it, which is at no server"],
        ["vips.www.ipv6", "2001:db8:45:67bb::1 is taken: port p2 of machine-7 has it"],
        [
          "external.ipv4.loadBalancers",
          "203.0.113.13 is taken: port dev-lb-dc3-external (p3) has it, which is at no server",
        ],
      ],
    );
    assert.match(first[0]!.mend, /`openstack port delete p1`/);
    assert.doesNotMatch(first[1]!.mend, /delete/);

    const reserved = [...standing(), reservation(vip), reservation(vip6)];
    assert.deepEqual(await said({}, reserved), []);
    const { external } = dualStack() as { external: object };
    assert.deepEqual(paths(await said({ external: { ...external, reserveVips: false } }, [])), [
      "external.ipv4.loadBalancers",
    ]);
    const more = { vips: { www: { ipv4: vip, ipv6: vip6, primary: true }, api: { ipv4: later } } };
    assert.deepEqual(paths(await said(more, reserved)), ["vips.api.ipv4"]);
    // Its port is in the state, its server is not made yet.
    const cut = reserved.filter(({ urn }) => !/Instance::lb-dc3|::lb-dc3-config/.test(urn));
    assert.deepEqual(await said({}, cut), []);

    // Those that stay, and what a run that was cut gave them already.
    cloud.ports["203.0.113.14"] = { id: "p5", name: "", deviceId: "another" };
    cloud.ports["203.0.113.15"] = { id: "p6", name: "", deviceId: "id-of-lb-dc2" };
    const { ipv4 } = external as { ipv4: object };
    const elsewhere = { external: { ...external, ipv4: { ...ipv4, loadBalancers: ["203.0.113.14-203.0.113.16"] } } };
    cloud.subnets = ["203.0.113.0/24"];
    assert.deepEqual(
      (await said(elsewhere, reserved)).map(({ path, cause }) => [path, cause]),
      [["external.ipv4.loadBalancers", "203.0.113.14 is taken: port p5 of another has it"]],
    );
  } finally {
    cloud.subnets = [];
    cloud.ports = {};
  }
});

function reservation(address: string): Resource {
  const type = "openstack:networking/port:Port";
  return {
    urn: `urn:pulumi:dev::ha-cluster::x$${type}::${vipPort(address)}`,
    type,
    outputs: { networkId: "id-of-external" },
  };
}
