import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  contains,
  containsNetwork,
  formatIp,
  formatNetwork,
  growth,
  networkSize,
  nthIp,
  nthSubnet,
  overlaps,
  parseIp,
  parseNetwork,
  type Family,
  type Ip,
  type Network,
} from "../../../config/ip";

const WIDTH: Record<Family, number> = { ipv4: 32, ipv6: 128 };
const family = fc.constantFrom<Family>("ipv4", "ipv6");
const ip: fc.Arbitrary<Ip> = family.chain((family) =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(WIDTH[family])) - 1n }).map((value) => ({ family, value })),
);
const network: fc.Arbitrary<Network> = ip.chain(({ family, value }) =>
  fc.integer({ min: 0, max: WIDTH[family] }).map((prefixLength) => {
    const hostBits = BigInt(WIDTH[family] - prefixLength);
    return { family, prefixLength, first: (value >> hostBits) << hostBits };
  }),
);
const last = (net: Network): Ip => nthIp(net, networkSize(net) - 1n);

test("an address survives being written and read", () => {
  fc.assert(fc.property(ip, (ip) => assert.deepEqual(parseIp(formatIp(ip)), ip)));
});

test("a network survives being written and read", () => {
  fc.assert(fc.property(network, (net) => assert.deepEqual(parseNetwork(formatNetwork(net)), net)));
});

test("every spelling of an IPv6 address is read as the same one", () => {
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, (groups) => {
      const long = groups.map((group) => group.toString(16).padStart(4, "0").toUpperCase()).join(":");
      const short = groups.map((group) => group.toString(16)).join(":");
      const value = groups.reduce((sum, group) => (sum << 16n) + BigInt(group), 0n);
      assert.deepEqual(parseIp(long), { family: "ipv6", value });
      assert.deepEqual(parseIp(short), { family: "ipv6", value });
    }),
  );
});

test("a network contains its first and last address, and not the ones beside", () => {
  fc.assert(
    fc.property(network, (net) => {
      assert.ok(contains(net, nthIp(net, 0n)) && contains(net, last(net)));
      assert.ok(!contains(net, nthIp(net, -1n)) && !contains(net, nthIp(net, networkSize(net))));
    }),
  );
});

test("a network of one family contains nothing of the other", () => {
  fc.assert(fc.property(network, ip, (net, ip) => assert.ok(net.family === ip.family || !contains(net, ip))));
});

test("two networks overlap just when one lies in the other", () => {
  fc.assert(
    fc.property(network, network, (a, b) => {
      assert.equal(overlaps(a, b), containsNetwork(a, b) || containsNetwork(b, a));
      assert.equal(overlaps(a, b), overlaps(b, a));
    }),
  );
});

test("a subnetwork lies in its network, and apart from the next one", () => {
  fc.assert(
    fc.property(network, fc.nat({ max: 16 }), fc.nat({ max: 1000 }), (net, longer, index) => {
      const length = Math.min(net.prefixLength + longer, WIDTH[net.family]);
      const count = 1 << (length - net.prefixLength);
      const subnet = nthSubnet(net, length, BigInt(index % count));
      assert.ok(containsNetwork(net, subnet));
      assert.ok(!overlaps(subnet, nthSubnet(net, length, BigInt(index % count) + 1n)));
    }),
  );
});

test("a network and what it grows by make each larger network that contains it, whole and without overlaps", () => {
  fc.assert(
    fc.property(network, fc.nat({ max: 12 }), (net, shorter) => {
      const length = Math.max(0, net.prefixLength - shorter);
      const whole = { ...net, prefixLength: length, first: (net.first >> width(net, length)) << width(net, length) };
      const parts = [];
      for (const each of growth(net)) {
        if (!containsNetwork(whole, each)) break;
        parts.push(each);
      }
      assert.equal(parts.length, net.prefixLength - length + 1);
      assert.equal(
        parts.reduce((sum, each) => sum + networkSize(each), 0n),
        networkSize(whole),
      );
      for (const [index, each] of parts.entries()) {
        assert.ok(parts.slice(0, index).every((other) => !overlaps(other, each)));
        assert.ok(parseNetwork(formatNetwork(each))!.first === each.first, "it begins at a first address");
      }
    }),
  );
});

function width({ family }: Network, length: number): bigint {
  return BigInt(WIDTH[family] - length);
}

test("host bits are kept out, and a bare address is a network of one", () => {
  assert.deepEqual(parseNetwork("203.0.113.77/24"), parseNetwork("203.0.113.0/24"));
  assert.equal(formatNetwork(parseNetwork("203.0.113.77")!), "203.0.113.77/32");
});

for (const text of [
  "",
  " ",
  "203.0.113",
  "203.0.113.256",
  "203.0.113.010",
  "0xcb.0.113.1",
  "203.0.113.1/24",
  "fe80::1%eth0",
  "1::2::3",
  "[::1]",
  "::g",
  "²",
]) {
  test(`${JSON.stringify(text)} is no address`, () => assert.equal(parseIp(text), undefined));
}

for (const text of ["203.0.113.0/33", "203.0.113.0/", "203.0.113.0/-1", "203.0.113.0/24/24", "/24", "::/129", "::/x"]) {
  test(`${JSON.stringify(text)} is no network`, () => assert.equal(parseNetwork(text), undefined));
}
