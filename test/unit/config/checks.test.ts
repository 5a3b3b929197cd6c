import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { goodStack } from "./fixtures/bad-stacks";
import { pathsOf, shortest, specOf } from "./fixtures/stacks";

// What the files in test/bad-stacks leave open: what is not refused, and problems that must not bring others with them.

describe("VRRP's advert interval", () => {
  const paths = (advertInterval: unknown) => pathsOf({ ...shortest(), vrrp: { advertInterval } });
  for (const good of [0.1, 0.25, 0.29, 0.99, 1, 2, 10])
    test(`${good} is taken`, () => assert.deepEqual(paths(good), []));
  for (const bad of [0, 0.05, 0.123, 1.5, 11, -1, "1", Number.NaN]) {
    test(`${JSON.stringify(bad)} is refused`, () => assert.deepEqual(paths(bad), ["vrrp.advertInterval"]));
  }
});

describe("virtual router ids", () => {
  const ids = (vrrp: object) => specOf({ ...shortest(), vrrp }).vrrp.routerIds;
  test("follow the first, unless they are written", () => {
    assert.deepEqual(ids({}), { ipv4: 51, ipv6: 52, internal: 53 });
    assert.deepEqual(ids({ firstRouterId: 253 }), { ipv4: 253, ipv6: 254, internal: 255 });
    assert.deepEqual(ids({ firstRouterId: 61, routerIds: { ipv6: 52 } }), { ipv4: 61, ipv6: 52, internal: 63 });
  });
  test("are compared also where another is unreadable, and not with it", () => {
    const paths = (vrrp: object) => pathsOf({ ...shortest(), vrrp });
    assert.deepEqual(paths({ firstRouterId: 0 }), ["vrrp.firstRouterId"]);
    assert.deepEqual(paths({ firstRouterId: 254 }), ["vrrp.firstRouterId"]);
    assert.deepEqual(paths({ firstRouterId: 0, routerIds: { ipv4: 9, ipv6: 9 } }), [
      "vrrp.firstRouterId",
      "vrrp.routerIds.ipv6",
    ]);
    assert.deepEqual(paths({ firstRouterId: 61, routerIds: { ipv4: 0, ipv6: 61 } }), ["vrrp.routerIds.ipv4"]);
  });
});

describe("services", () => {
  const paths = (services: unknown, more: Record<string, unknown> = {}) =>
    pathsOf({ ...goodStack(), services, ...more });

  test("may share a port on different VIPs", () => {
    assert.deepEqual(paths({ a: { http: 80, vips: ["www"] }, b: { http: 80, vips: ["mail"] } }), []);
  });
  test("clash if both are on all VIPs", () => {
    assert.deepEqual(paths({ a: { http: 80 }, b: { tcp: 80 } }), ["services.b.tcp"]);
  });
  test("with a broken list of VIPs are not thought to be on all of them", () => {
    assert.deepEqual(paths({ a: { http: 80 }, b: { http: 80, vips: 7 } }), ["services.b.vips"]);
  });
  test("may leave a certificate unused, with or without HTTPS", () => {
    assert.deepEqual(paths({ a: { http: 80 } }), []);
    assert.deepEqual(paths({ a: { http: 80, certificate: "www" } }), []);
  });
  test("redirect with both ports is taken, without HTTP refused", () => {
    assert.deepEqual(paths({ a: { http: 80, https: 443, certificate: "www", redirect: true } }), []);
    assert.deepEqual(paths({ a: { https: 443, certificate: "www", redirect: true } }), ["services.a.redirect"]);
  });
  test("must say which group if there is more than one", () => {
    const appServers = { app: {}, batch: {} };
    assert.deepEqual(paths({ a: { http: 80 } }, { appServers }), ["services.a.servers"]);
    assert.deepEqual(paths({ a: { http: 80, servers: "batch" } }, { appServers }), []);
  });
  test("must not be on no VIP at all", () => {
    assert.deepEqual(paths({ a: { http: 80, vips: [] } }), ["services.a.vips"]);
  });
  test("plain TCP must not be called like haproxy's own frontends", () => {
    assert.deepEqual(paths({ https: { tcp: 5000 } }), ["services.https"]);
    assert.deepEqual(paths({ https: { https: 443, certificate: "www" } }), []);
  });
  test("names that every JavaScript object has are unknown like any other", () => {
    assert.deepEqual(paths({ a: { http: 80, vips: ["constructor"], servers: "toString" } }), [
      "services.a.servers",
      "services.a.vips[0]",
    ]);
  });
});

describe("VIPs", () => {
  const paths = (vips: unknown) => pathsOf({ ...goodStack(), vips, services: { web: { http: 80 } } });

  test("the only one need not say that it is the primary, and can't deny it", () => {
    assert.deepEqual(paths({ www: { ipv4: "203.0.113.100" } }), []);
    assert.deepEqual(paths({ www: { ipv4: "203.0.113.100", primary: false } }), ["vips.www.primary"]);
  });
  test("others than the primary may have IPv6 alone", () => {
    assert.deepEqual(
      paths({ www: { ipv4: "203.0.113.100", primary: true }, six: { ipv6: "2001:db8:45:67bb::6" } }),
      [],
    );
  });
  test("an unreadable `primary` is not reported as none", () => {
    assert.deepEqual(paths({ a: { ipv4: "203.0.113.100", primary: "ja" }, b: { ipv4: "203.0.113.101" } }), [
      "vips.a.primary",
    ]);
  });
  test("an unreadable range does not make VIPs fall outside", () => {
    const external = { ipv4: { cidr: "203.0.113.0/24", gateway: "203.0.113.1" }, vipRanges: ["203.0.113.96/99"] };
    assert.deepEqual(pathsOf({ ...shortest(), external }), ["external.vipRanges[0]"]);
  });
  test("no range at all is reported once", () => {
    const external = { ipv4: { cidr: "203.0.113.0/24", gateway: "203.0.113.1" }, vipRanges: [] };
    assert.deepEqual(pathsOf({ ...shortest(), external }), ["external.vipRanges"]);
  });
  test("can't be the internal network's or broadcast address", () => {
    assert.deepEqual(pathsOf({ ...shortest(), internal: { cidr: "198.51.100.0/24", vip: "198.51.100.255" } }), [
      "internal.vip",
    ]);
    assert.deepEqual(pathsOf({ ...shortest(), internal: { cidr: "198.51.100.0/24", vip: "198.51.100.0" } }), [
      "internal.vip",
    ]);
  });
});

describe("ssh", () => {
  test("from nowhere is refused", () => {
    assert.deepEqual(pathsOf({ ...shortest(), ssh: { allowedFrom: [] } }), ["ssh.allowedFrom"]);
  });
});
