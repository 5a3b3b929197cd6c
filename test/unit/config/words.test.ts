import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { listNames, nearest, pathText, quote } from "../../../config/shape/words";

test("a path is written as `pulumi config set --path` wants it", () => {
  assert.equal(pathText(["external", "vipRanges", 1]), "external.vipRanges[1]");
  assert.equal(pathText(["services", "web.shop", "http"]), 'services["web.shop"].http');
  assert.equal(pathText([]), "");
});

describe("a suggestion", () => {
  const keys = ["ipv4", "ipv6", "primary"];
  for (const [written, meant] of [
    ["ip4", "ipv4"],
    ["IPv6", "ipv6"],
    ["prmiary", "primary"],
    ["prim", "primary"],
    ["gateway", undefined],
    ["x", undefined],
  ] as const) {
    test(`for ${written} is ${meant}`, () => assert.equal(nearest(written, keys), meant));
  }
});

test("names are listed as in a sentence", () => {
  assert.equal(listNames(["c", "a", "b"]), "`a`, `b` and `c`");
  assert.equal(listNames(["a"]), "`a`");
  assert.equal(listNames([]), "none");
});

test("a long value is cut, and stays on one line", () => {
  assert.equal(quote("a\nb"), '"a\\nb"');
  assert.equal(quote("x".repeat(100)).length, 63);
});
