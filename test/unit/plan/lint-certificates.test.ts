import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Encrypted } from "../../../config/encrypted";
import { load } from "../../../plan/load";
import { dualStack, type Raw } from "../../support/specs";
import { breaking, NOW, problemsOf } from "./break";
import { CLIENT, INTERMEDIATE, LEAF, NAMELESS, ROOT } from "./certificates.fixture";

function withCertificate(certificate: string): Raw {
  return dualStack({ certificates: { www: { certificate, privateKey: new Encrypted() } } });
}

/** Moments before and after the beginning and the end of the good stack's certificate. */
const BEFORE = new Date("2026-11-22T00:00:00Z");
const SOON = new Date("2046-11-08T00:00:00Z");
const AFTER = new Date("2046-11-18T00:00:00Z");

function only(raw: Raw, now: Date, cause: RegExp): void {
  const problems = problemsOf(raw, undefined, now);
  assert.deepEqual(
    problems.map(({ path }) => path),
    ["certificates.www.certificate"],
  );
  assert.match(problems[0]!.cause, cause);
}

describe("certificates", () => {
  test("one with its chain is right", () => {
    assert.deepEqual(problemsOf(withCertificate(LEAF + INTERMEDIATE)), []);
    assert.deepEqual(problemsOf(withCertificate(LEAF + INTERMEDIATE + ROOT)), []);
  });

  test("expired", () => only(dualStack(), AFTER, /^expired on 2046-11-17/));

  test("not yet valid", () => only(dualStack(), BEFORE, /not valid before 2026-11-22T19:21:41/));

  test("no name of a host", () => only(withCertificate(NAMELESS), NOW, /names no host/));

  test("for clients alone", () => only(withCertificate(CLIENT), NOW, /lacks serverAuth/));

  test("chain in the wrong order", () => {
    const cause = /block 2 \(CN=.*\) did not issue block 1 \(CN=.*\)/;
    only(withCertificate(INTERMEDIATE + LEAF), NOW, cause);
    only(withCertificate(LEAF + ROOT), NOW, cause);
    only(withCertificate(LEAF + ROOT + INTERMEDIATE), NOW, cause);
  });

  test("one that no service shows may be as it likes", () => {
    const services = { web: { http: 80 } };
    assert.deepEqual(problemsOf({ ...withCertificate(NAMELESS), services }), []);
  });

  breaking(
    "one that goes to no load balancer",
    dualStack(),
    (plan) => plan.certificates.pop(),
    "services.web.certificate",
    /the certificate www goes to no load balancer/,
  );
});

describe("warnings", () => {
  const warnings = (raw: Raw, now: Date): string[] => {
    const { plan, warnings } = load(raw, "dev", now);
    assert.ok(plan, "a warning is no error");
    return warnings.map(({ path, cause }) => `${path}: ${cause}`);
  };

  test("none of a good stack", () => assert.deepEqual(warnings(dualStack(), NOW), []));

  test("a certificate that expires soon", () => {
    assert.deepEqual(warnings(dualStack(), SOON), ["certificates.www.certificate: expires on 2046-11-17, in 9 days"]);
    assert.deepEqual(warnings(dualStack(), new Date("2046-10-27T00:00:00Z")), []);
  });

  test("adverts so slow that a lost load balancer lasts longer than any other fault", () => {
    const [warning, ...others] = warnings(dualStack({ vrrp: { advertInterval: 4 } }), NOW);
    assert.match(warning!, /^vrrp\.advertInterval: .* only after 14\.4 s/);
    assert.deepEqual(others, []);
    assert.deepEqual(warnings(dualStack({ vrrp: { advertInterval: 2 } }), NOW), []);
  });

  test("none beside a problem", () => {
    const { problems, warnings: beside } = load(dualStack({ vrrp: { advertInterval: 4 } }), "dev", AFTER);
    assert.deepEqual([problems.map(({ path }) => path), beside], [["certificates.www.certificate"], []]);
  });
});
