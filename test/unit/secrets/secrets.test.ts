import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { DerivedSecrets } from "../../../secrets/derive";

const secrets = new DerivedSecrets("correct horse battery staple, thirty-two at least");

describe("derived secrets", () => {
  test("the same root gives the same secrets, another root others", () => {
    const again = new DerivedSecrets("correct horse battery staple, thirty-two at least");
    const other = new DerivedSecrets("another horse battery staple, thirty-two at least");
    const all = (from: DerivedSecrets): string[] => [
      from.clientKey().privateKey,
      from.hostKey("lb-dc1").privateKey,
      from.vrrpPassword(),
      from.databasePassword("app"),
    ];
    assert.deepEqual(all(again), all(secrets));
    const mine = all(secrets);
    all(other).forEach((secret, index) => assert.notEqual(secret, mine[index]));
  });

  test("every purpose and every server has its own", () => {
    const keys = ["lb-dc1", "lb-dc2", "db-dc1"].map((server) => secrets.hostKey(server).publicKey.split(" ")[1]);
    assert.equal(new Set([...keys, secrets.clientKey().publicKey.split(" ")[1]]).size, 4);
  });

  test("passwords have the length and the letters that their files take without quoting", () => {
    assert.match(secrets.vrrpPassword(), /^[A-Za-z0-9]{8}$/);
    assert.match(secrets.databasePassword("app"), /^[A-Za-z0-9]{32}$/);
  });

  test("OpenSSH reads the private key and finds the same public key in it", () => {
    const folder = mkdtempSync(join(tmpdir(), "ha-cluster-"));
    try {
      const { privateKey, publicKey } = secrets.hostKey("lb-dc1");
      const path = join(folder, "key");
      writeFileSync(path, privateKey, { mode: 0o600 });
      assert.equal(execFileSync("ssh-keygen", ["-y", "-f", path], { encoding: "utf8" }).trim(), publicKey);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
