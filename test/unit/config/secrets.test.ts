import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Encrypted, UNREADABLE } from "../../../config/encrypted";
import type { Problem } from "../../../config/problems";
import { validate } from "../../../config/validate";
import { keyPairFromSeed } from "../../../secrets/openssh";
import { existingStack, goodStack } from "./fixtures/bad-stacks";
import { CERTIFICATE, OTHER_CERTIFICATE, PRIVATE_KEY } from "./fixtures/pem";

function withRoot(rootSecret: unknown): Problem[] {
  return validate({ ...goodStack(), rootSecret }, "dev").problems;
}

function withPair(certificate: unknown, privateKey: unknown): Problem[] {
  return validate({ ...goodStack(), certificates: { www: { certificate, privateKey } } }, "dev").problems;
}

function refused(problems: Problem[], path: string, cause: RegExp): void {
  assert.deepEqual(
    problems.map((problem) => problem.path),
    [path],
  );
  assert.match(problems[0]!.cause, cause);
}

describe("the root secret", () => {
  for (const [what, good] of [
    ["base64", randomBytes(33).toString("base64")],
    ["hexadecimal", randomBytes(24).toString("hex")],
    ["words", "battery staple horse correct lake"],
  ] as const) {
    test(`of ${what} is taken`, () => assert.deepEqual(withRoot(good), []));
  }
  for (const [what, weak] of [
    ["one character", "x".repeat(40)],
    ["a repeated word", "changeme-changeme-changeme-changeme"],
    ["two halves alike", "qwertzuiop123456qwertzuiop123456"],
    ["few characters", "abacabadabacabaeabacabadabacabaf"],
    ["the alphabet", "abcdefghijklmnopqrstuvwxyz0123456789"],
  ] as const) {
    test(`of ${what} is refused`, () => refused(withRoot(weak), "rootSecret", /is easy to guess/));
  }
  test("of 31 characters is refused", () =>
    refused(withRoot(randomBytes(32).toString("base64").slice(0, 31)), "rootSecret", /has 31 characters/));
  test("without value is refused", () => refused(withRoot(""), "rootSecret", /has 0 characters/));
  test("that is a map is refused", () => refused(withRoot({ secre: "v1:abc" }), "rootSecret", /is a map/));
});

describe("certificates", () => {
  test("with their key are taken, and end up apart", () => {
    const raw = {
      ...goodStack(),
      rootSecret: randomBytes(33).toString("base64"),
      certificates: { www: { certificate: CERTIFICATE, privateKey: PRIVATE_KEY.trim() } },
    };
    const { spec, secrets, problems } = validate(raw, "dev");
    assert.deepEqual(problems, []);
    assert.deepEqual(secrets, { root: raw.rootSecret, certificateKeys: { www: PRIVATE_KEY } });
    assert.deepEqual(spec.certificates, [{ name: "www", certificate: CERTIFICATE }]);
    assert.ok(!JSON.stringify(spec).includes("PRIVATE KEY"));
  });
  test("with a key that can't be decrypted here are taken", () => {
    const { secrets, problems } = validate(goodStack(), "dev");
    assert.deepEqual(problems, []);
    assert.deepEqual(secrets!.root, UNREADABLE);
  });
  test("with a chain are taken, the server's own first", () => {
    assert.deepEqual(withPair(CERTIFICATE + OTHER_CERTIFICATE, PRIVATE_KEY), []);
    refused(
      withPair(OTHER_CERTIFICATE + CERTIFICATE, PRIVATE_KEY),
      "certificates.www.privateKey",
      /does not belong to the first certificate/,
    );
  });
  test("with another key are refused", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    refused(withPair(CERTIFICATE, pem), "certificates.www.privateKey", /does not belong/);
  });
  test("whose chain is damaged are refused", () => {
    const damaged = CERTIFICATE + OTHER_CERTIFICATE.replace(/\n.{20}/, "\n");
    refused(withPair(damaged, new Encrypted()), "certificates.www.certificate", /block 2 can't be read/);
  });
  test("that end too early are refused", () => {
    const cut = CERTIFICATE.slice(0, CERTIFICATE.indexOf("-----END"));
    refused(withPair(cut, new Encrypted()), "certificates.www.certificate", /block 1 can't be read/);
  });
  test("whose key has a passphrase are refused", () => {
    const key = createPrivateKey(PRIVATE_KEY).export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "x",
    });
    refused(withPair(CERTIFICATE, key), "certificates.www.privateKey", /is protected by a passphrase/);
  });
  test("whose key is none are refused", () => {
    refused(withPair(CERTIFICATE, "/etc/ssl/www.key"), "certificates.www.privateKey", /can't be read as a private key/);
  });
});

describe("the private key of machines that exist", () => {
  const withKey = (privateKey: unknown): Problem[] => {
    const raw = existingStack();
    return validate({ ...raw, machines: { ...(raw.machines as object), privateKey } }, "dev").problems;
  };
  const seeded = keyPairFromSeed(randomBytes(32), randomBytes(4), "test").privateKey;
  const pem = (type: "pkcs1" | "pkcs8", passphrase?: string): string =>
    generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
      type,
      format: "pem",
      ...(passphrase !== undefined && { cipher: "aes-256-cbc", passphrase }),
    }) as string;

  for (const [what, key] of [
    ["in OpenSSH's form", seeded],
    ["in OpenSSH's form, without its last line break", seeded.trim()],
    ["in PEM", pem("pkcs8")],
    ["in the PEM of RSA", pem("pkcs1")],
  ] as const) {
    test(`${what} is taken`, () => assert.deepEqual(withKey(key), []));
  }
  test("with a passphrase is refused, in either form", () => {
    refused(withKey(pem("pkcs8", "x")), "machines.privateKey", /is protected by a passphrase/);
    const folder = mkdtempSync(join(tmpdir(), "ha-cluster-"));
    try {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "passphrase", "-f", join(folder, "key")]);
      const key = readFileSync(join(folder, "key"), "utf8");
      refused(withKey(key), "machines.privateKey", /is protected by a passphrase/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
  test("that is none is refused", () => {
    for (const text of ["/root/.ssh/id_ed25519", "", seeded.slice(0, 120)])
      refused(withKey(text), "machines.privateKey", /can't be read as a private key/);
  });
});

describe("the VRRP password", () => {
  const withPassword = (password: unknown): Problem[] =>
    validate({ ...goodStack(), vrrp: { password } }, "dev").problems;
  test("of up to eight characters is taken", () => {
    for (const good of ["hunter2", "hunter2\n", "12345678"]) assert.deepEqual(withPassword(good), []);
  });
  test("that is longer than what is sent, or that keepalived would read otherwise, is refused", () => {
    refused(withPassword("123456789"), "vrrp.password", /has 9 characters/);
    for (const bad of ["", "a b", "a#b", "a{b", 'a"b']) refused(withPassword(bad), "vrrp.password", /is empty, or/);
  });
});

test("no message shows a secret, not even one that is broken or in the wrong place", () => {
  const marker = "hunter2-hunter2";
  const places: Record<string, unknown>[] = [
    { rootSecret: marker },
    { rootSecret: [marker] },
    { certificates: marker },
    { certificates: { www: marker } },
    { certificates: { www: { certificate: marker, privateKey: marker } } },
    {
      certificates: {
        www: {
          certificate: `${CERTIFICATE}-----BEGIN PRIVATE KEY-----\n${marker}\n-----END PRIVATE KEY-----`,
          privateKey: PRIVATE_KEY,
        },
      },
    },
    {
      certificates: {
        www: {
          certificate: CERTIFICATE,
          privateKey: `-----BEGIN PRIVATE KEY-----\n${marker}\n-----END PRIVATE KEY-----`,
        },
      },
    },
    { certificates: { www: { certificate: CERTIFICATE, privatKey: marker } } },
    { rootSecert: marker },
    { machines: marker },
    { machines: { source: "existing", privateKey: [marker] } },
    { machines: { source: "existing", privateKey: marker } },
    { machines: { privatKey: marker } },
    { vrrp: marker },
    { vrrp: { password: marker } },
    { vrrp: { pasword: marker } },
  ];
  for (const place of places) {
    const { problems } = validate({ ...goodStack(), ...place }, "dev");
    assert.ok(problems.length > 0, JSON.stringify(Object.keys(place)));
    assert.ok(!JSON.stringify(problems).includes(marker), JSON.stringify(problems));
  }
});
