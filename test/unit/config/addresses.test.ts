import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readHost, readNetwork, readRange } from "../../../config/addresses";
import { formatIp, formatNetwork, type Ip, type Network } from "../../../config/ip";
import type { Problem } from "../../../config/problems";

/** Runs a reader to its end: what it returned, and what it yielded. */
function run<T>(reader: Generator<Problem, T>): { value: T; problems: Problem[] } {
  const problems: Problem[] = [];
  let step = reader.next();
  while (!step.done) {
    problems.push(step.value);
    step = reader.next();
  }
  return { value: step.value, problems };
}

function refused(reader: Generator<Problem, Ip | Network | undefined>, cause: string, mend: string): void {
  const { value, problems } = run(reader);
  assert.equal(value, undefined);
  assert.equal(problems.length, 1, JSON.stringify(problems));
  assert.ok(problems[0]!.cause.includes(cause), `cause: ${problems[0]!.cause}`);
  assert.ok(problems[0]!.mend.includes(mend), `mend: ${problems[0]!.mend}`);
}

describe("one address", () => {
  test("in canonical form or not is taken", () => {
    const { value, problems } = run(readHost("x", "2001:0DB8::0:1", "ipv6"));
    assert.deepEqual(problems, []);
    assert.equal(formatIp(value!), "2001:db8::1");
  });
  test("that is missing is nobody's business here", () => {
    assert.deepEqual(run(readHost("x", undefined, "ipv4")), { value: undefined, problems: [] });
  });
  test("with a length", () =>
    refused(readHost("x", "203.0.113.100/24", "ipv4"), "has a prefix length", "write 203.0.113.100"));
  test("with spaces", () =>
    refused(readHost("x", " 203.0.113.1", "ipv4"), "has spaces around it", "write 203.0.113.1"));
  test("with brackets", () => refused(readHost("x", "[2001:db8::1]", "ipv6"), "has brackets or a port", "2001:db8::1"));
  test("with brackets and a port", () =>
    refused(readHost("x", "[2001:db8::1]:80", "ipv6"), "has brackets or a port", "2001:db8::1"));
  test("with a port", () => refused(readHost("x", "203.0.113.1:80", "ipv4"), "has brackets or a port", "203.0.113.1"));
  test("with leading zeros", () =>
    refused(readHost("x", "203.0.113.010", "ipv4"), "has leading zeros", "write 203.0.113.10"));
  test("with a zone id", () => refused(readHost("x", "fe80::1%eth0", "ipv6"), 'zone id ("%eth0")', "without %"));
  test("mapped", () => refused(readHost("x", "::ffff:203.0.113.9", "ipv6"), "IPv4-mapped", "203.0.113.9"));
  test("mapped, in hexadecimal", () =>
    refused(readHost("x", "::ffff:cb00:7109", "ipv6"), "IPv4-mapped", "203.0.113.9"));
  test("mapped, where IPv4 belongs", () =>
    refused(readHost("x", "::ffff:203.0.113.9", "ipv4"), "IPv4-mapped", "203.0.113.9"));
  test("of the other family", () =>
    refused(readHost("x", "2001:db8::1", "ipv4"), "is IPv6, but an IPv4 address", "203.0.113.100"));
  test("that is a name", () => refused(readHost("x", "gw.example", "ipv4"), "is no IPv4 address", "203.0.113.100"));
  for (const text of ["0.0.0.0", "127.8.8.8", "169.254.0.1", "239.1.1.1", "255.255.255.255"]) {
    test(`${text} is nobody's`, () => refused(readHost("x", text, "ipv4"), text, "ordinary IPv4 address"));
  }
  for (const text of ["::", "::1", "fe80::1", "febf::1", "ff02::1"]) {
    test(`${text} is nobody's`, () => refused(readHost("x", text, "ipv6"), text, "ordinary IPv6 address"));
  }
});

describe("a network", () => {
  test("is taken and normalised", () => {
    assert.equal(formatNetwork(run(readNetwork("x", "2001:DB8:0045::/48", "ipv6")).value!), "2001:db8:45::/48");
  });
  test("without length", () =>
    refused(readNetwork("x", "203.0.113.0", "ipv4"), "is one address, but a network", "add the length"));
  test("with host bits", () =>
    refused(readNetwork("x", "203.0.113.9/24", "ipv4"), "an address inside 203.0.113.0/24", "write 203.0.113.0/24"));
  test("that is too long", () => refused(readNetwork("x", "203.0.113.0/33", "ipv4"), "no usable length", "0 to 32"));
  test("with two lengths", () => refused(readNetwork("x", "2001:db8::/32/48", "ipv6"), "no usable length", "0 to 128"));
  test("of the other family", () =>
    refused(readNetwork("x", "203.0.113.0/24", "ipv6"), "is IPv4, but an IPv6 network", "2001:db8:45::/48"));
  test("with a zone id", () => refused(readNetwork("x", "fe80::%eth0/64", "ipv6"), "zone id", "without %"));
});

describe("a range", () => {
  for (const [written, read] of [
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["::/0", "::/0"],
    ["203.0.113.7", "203.0.113.7/32"],
    ["2001:db8::7", "2001:db8::7/128"],
  ] as const) {
    test(`${written} is ${read}`, () => {
      const { value, problems } = run(readRange("x", written));
      assert.deepEqual(problems, []);
      assert.equal(formatNetwork(value!), read);
    });
  }
  test("mapped", () => refused(readRange("x", "::ffff:203.0.113.0/120"), "IPv4-mapped", "203.0.113.0"));
});
