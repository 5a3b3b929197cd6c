import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { changeOf, NOTHING_MEANT } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import { bundlesOf } from "../../../change/files";
import { refusals } from "../../../change/refuse";
import { Encrypted } from "../../../config/encrypted";
import { plan } from "../../../plan/plan";
import { refuses, SECRETS } from "../../support/changes";
import { CERTIFICATE, dualStack, existing, ipv4Only, specOf } from "../../support/specs";

const withOther = {
  certificates: {
    ...(dualStack()["certificates"] as object),
    api: { certificate: CERTIFICATE, privateKey: new Encrypted() },
  },
  services: {
    web: { http: 80, https: 443, certificate: "www", servers: "app", healthCheck: "/healthz" },
    api: { https: 8443, certificate: "api", servers: "app" },
  },
};

describe("what both sides have to agree on", () => {
  for (const [what, key, changes] of [
    ["another port of the database", "database.port", { database: { port: 3307 } }],
    ["another internal VIP", "internal.vip", { internal: { cidr: "198.51.100.0/24", vip: "198.51.100.2" } }],
    ["other router ids", "vrrp.routerIds", { vrrp: { routerIds: { ipv4: 61, ipv6: 62, internal: 63 } } }],
  ] as const) {
    const one = { www: { ipv4: "203.0.113.100", ipv6: "2001:db8:45:67bb::1", primary: true } };
    refuses(
      `${what}, while a VIP comes`,
      {
        before: dualStack({ vips: one }),
        now: dualStack({ ...changes, vips: { ...one, api: { ipv4: "203.0.113.101" } } }),
      },
      key,
      /^can't be changed in the run in which `203\.0\.113\.101` comes: load balancers would need/,
      /in two runs/,
    );
    refuses(
      `${what}, while IPv6 comes`,
      {
        before: ipv4Only(),
        now: dualStack(key === "vrrp.routerIds" ? { vrrp: { routerIds: { ipv4: 61, internal: 63 } } } : changes),
      },
      key,
      /in which `2001:db8:45:67bb::1` and `external\.ipv6` come/,
      /in two runs/,
    );
    refuses(
      `${what}, while a certificate comes`,
      {
        now: dualStack({ ...changes, ...withOther }),
      },
      key,
      /in which `certificates\.api` comes/,
      /in two runs/,
    );
    refuses(
      `${what}, while servers would be stopped`,
      { now: dualStack({ ...changes, loadBalancers: { flavor: "m1.large" } }) },
      "loadBalancers.flavor",
      /would stop servers in the run in which others change together \(lb-dc\d: .+\)/,
      /in two runs/,
    );
  }
  refuses(
    "another transport in the run in which a certificate comes",
    {
      before: ipv4Only(),
      now: ipv4Only({ ...withOther, vrrp: { transport: "multicast" } }),
    },
    "vrrp.transport",
    /in which `certificates\.api` comes/,
    /in two runs/,
  );
  refuses(
    "another port of the database while an application may run that was never finished",
    {
      now: dualStack({ database: { port: 3307 } }),
      state: (all) => all.filter(({ urn }) => !urn.endsWith("::app-dc1-1-config")),
      pending: (all) =>
        all.filter(({ urn }) => urn.endsWith("::app-dc1-1-config")).map((resource) => ({ type: "creating", resource })),
    },
    "database.port",
    /can't be changed while `app-dc1-1` may run already, but was never finished/,
    /first `pulumi up` with the file of before/,
  );
  refuses(
    "router ids that some load balancers would not hear, when a run was cut",
    {
      before: ipv4Only(),
      now: ipv4Only({ vrrp: { routerIds: { ipv4: 71, internal: 73 } } }),
      state: (all) =>
        all.map((each) => {
          const { stdin } = each.inputs ?? {};
          if (!each.urn.endsWith("::lb-dc3-config") || typeof stdin !== "string") return each;
          return {
            ...each,
            inputs: { stdin: stdin.replace("router_id 51", "router_id 61").replace("router_id 53", "router_id 63") },
          };
        }),
    },
    "vrrp.routerIds",
    /differ among each other since a run that was cut/,
    /first `pulumi up` with the ids and the transport of that run, or with those from before it/,
  );
  for (const [title, routerIds, refused] of [
    ["all router ids at once", { ipv4: 61, ipv6: 62, internal: 63 }, true],
    ["two of three router ids", { ipv4: 61, ipv6: 62, internal: 13 }, false],
  ] as const) {
    test(`on hosts that somebody else built, ${title}: ${refused ? "refused" : "goes"}`, () => {
      const built = plan(specOf(existing()));
      const state = Object.entries(bundlesOf(built, "")).map(([id, stdin]) => ({
        urn: `urn:pulumi:dev::ha-cluster::x$command:remote:Command::${id}-config`,
        type: "command:remote:Command",
        inputs: { stdin },
      }));
      const planned = plan(specOf(existing("debian-12", { vrrp: { routerIds, transport: "multicast" } })));
      const standing = deployed(state);
      const problems = refusals(planned, NOTHING_MEANT, SECRETS, standing, changeOf(planned, standing));
      assert.deepEqual(
        problems.map(({ path, mend }) => [path, mend]),
        refused ? [["vrrp.routerIds", "change at most two of them in one `pulumi up`, the last in the next"]] : [],
      );
    });
  }
});
