import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { changeOf } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import { refusals } from "../../../change/refuse";
import { plan } from "../../../plan/plan";
import { DerivedSecrets } from "../../../secrets/derive";
import { found, refuses, RISK, SECRETS } from "../../support/changes";
import { dualStack, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

/** As the provider puts it. */
const NOVAS = `creating urn:pulumi:dev::ha-cluster::x$Instance::app-dc2-1: 1 error occurred:
\t* No valid host was found.

`;

describe("what it may not", () => {
  refuses(
    "another customer",
    { now: dualStack({ customer: "acme" }) },
    "customer",
    /first name is dev: with acme, all server groups/,
    /add `ha-cluster:clusterName: dev`/,
  );
  refuses(
    "another first name",
    { now: dualStack({ customer: "dev", clusterName: "acme" }) },
    "clusterName",
    /first name is dev/,
    /ha-cluster:clusterName: dev/,
  );
  refuses(
    "another slot of a datacenter",
    {
      before: dualStack({ datacenters: { dc1: {}, dc2: {} }, quorumRisk: RISK }),
      now: dualStack({ datacenters: { dc1: { slot: 3 }, dc2: {} }, quorumRisk: RISK }),
    },
    "datacenters.dc1.slot",
    /would move \S+-dc1(-1)? from 198\.51\.100\.\d+ to 198\.51\.100\.\d+/,
    /remove the line/,
  );
  refuses(
    "another slot of a group",
    { now: dualStack({ appServers: { app: { slots: [2] } } }) },
    "appServers.app.slots",
    /would move app-dc\d-1 from 198\.51\.100\.3\d to 198\.51\.100\.6\d/,
    /remove the line/,
  );
  refuses(
    "another internal network",
    { now: dualStack({ internal: { cidr: "198.51.100.0/25", vip: "198.51.100.1" } }) },
    "internal.cidr",
    /stands in 198\.51\.100\.0\/24/,
    /write 198\.51\.100\.0\/24, or a network that contains it/,
  );
  refuses(
    "another network that the internal one was built as",
    { now: dualStack({ internal: { cidr: "198.51.100.0/23", builtAs: "198.51.101.0/24", vip: "198.51.100.1" } }) },
    "internal.builtAs",
    /is 198\.51\.101\.0\/24, but it was built as 198\.51\.100\.0\/24/,
    /remove the line/,
  );
  refuses(
    "a smaller internal network while a server that leaves is in what goes",
    {
      before: dualStack({
        internal: { cidr: "198.51.100.0/24", builtAs: "198.51.100.0/25", vip: "198.51.100.1" },
        appServers: { app: {}, more: { slots: [5] } },
      }),
      now: dualStack({ internal: { cidr: "198.51.100.0/25", vip: "198.51.100.1" } }),
    },
    "internal.cidr",
    /more-dc1-1 has 198\.51\.100\.153, which is outside/,
    /first remove `more-dc1-1`, `more-dc2-1` and `more-dc3-1`, `pulumi up`/,
  );
  refuses(
    "a datacenter under another name",
    { now: dualStack({ datacenters: { dc1: {}, dc2: {}, ams: {} } }) },
    "datacenters.ams",
    /`dc3` would be deleted in the same run/,
    /keep the old name/,
  );
  refuses(
    "a datacenter less, when nobody says that its data may go",
    { now: dualStack({ datacenters: { dc1: {}, dc3: {} }, quorumRisk: RISK }) },
    "datacenters.dc2",
    /dev-db-dc2 would be deleted with its copy of the data/,
    /ha-cluster:mayDelete: \[db-dc2\]/,
  );
  refuses(
    "a service whose servers would all be new",
    {
      now: dualStack({
        appServers: { web: {} },
        services: { web: { http: 80, https: 443, certificate: "www", servers: "web" } },
      }),
    },
    "services.web.servers",
    /every server behind `web` would be new/,
    /^if it is the group `app` under another name, add `appServers\.web\.serversNamed: app`, and no server is touched; if not, in two runs/,
  );
  refuses(
    "a server that Nova gave up on",
    {
      now: dualStack(),
      state: (all) =>
        all
          .filter(({ urn }) => !urn.endsWith("::app-dc2-1-config"))
          .map((each) => (each.urn.endsWith("Instance::app-dc2-1") ? { ...each, initErrors: [NOVAS] } : each)),
    },
    "appServers.app",
    /dev-app-dc2-1 was never finished: No valid host was found\.$/m,
    /\*\*:Instance::app-dc2-1/,
  );
  refuses(
    "another flavor of servers that can't hand over yet",
    {
      now: dualStack({ database: { flavor: "m1.medium" } }),
      state: (all) => all.map((each) => (each.urn.endsWith("-scripts") ? { ...each, inputs: { stdin: "" } } : each)),
    },
    "database.flavor",
    /`db-dc1`, `db-dc2` and `db-dc3` would be stopped, but can't hand over first/,
    /first `pulumi up` without this change/,
  );
  refuses(
    "another flavor while a datacenter leaves",
    {
      now: dualStack({
        datacenters: { dc1: {}, dc3: {} },
        quorumRisk: RISK,
        mayDelete: ["db-dc2"],
        database: { flavor: "m1.medium" },
      }),
    },
    "database.flavor",
    /in the run in which a datacenter leaves/,
    /in two runs/,
  );
  refuses(
    "another root secret",
    {
      now: dualStack(),
      state: (all) => [
        ...all,
        {
          urn: "urn:pulumi:dev::ha-cluster::ha-cluster:index:Cluster$openstack:compute/keypair:Keypair::keypair",
          type: "openstack:compute/keypair:Keypair",
          outputs: { publicKey: new DerivedSecrets("another root secret, also 32 long").clientKey().publicKey },
        },
      ],
    },
    "rootSecret",
    /not the one that this cluster was built with/,
    /put the old one back/,
  );
  test("all datacenters under other names", () => {
    const problems = found({ now: dualStack({ datacenters: { a: {}, b: {}, c: {} } }) });
    assert.deepEqual(problems.map(({ path }) => path).sort(), [
      "datacenters.a",
      "datacenters.b",
      "datacenters.c",
      "services.web.servers",
    ]);
  });
  test("machines that exist, where OpenStack made them", () => {
    const standing = deployed(stateOf(plan(specOf(dualStack()))));
    const planned = { ...plan(specOf(dualStack())), source: "existing" as const };
    const problems = refusals(planned, { mayDelete: [] }, SECRETS, standing, changeOf(planned, standing));
    assert.deepEqual(
      problems.map(({ path }) => path),
      ["machines.source"],
    );
  });
});
