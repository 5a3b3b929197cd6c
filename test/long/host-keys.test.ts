import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { DerivedSecrets } from "../../secrets/derive";
import type { Stack } from "../../operate/stack";
import { lab, open, stackFile } from "../lab/support";
import { temporaryFolder } from "../support/folder";

describe("host keys", () => {
  const folder = temporaryFolder();
  after(() => folder.remove());

  async function rootSecret(stack: Stack): Promise<string> {
    const file = ["--stack", "test", "--config-file", stack.options.configFile!];
    return (await stack.must(["config", "get", "--path", "rootSecret", ...file])).trim();
  }

  /** What an error must not show; of the key, a line from its middle. */
  function secretsOf(root: string): { vrrpPassword: string; privateKey: string } {
    const secrets = new DerivedSecrets(root);
    return {
      vrrpPassword: secrets.vrrpPassword(),
      privateKey: secrets.clientKey().privateKey.trim().split("\n")[2]!,
    };
  }

  test("a machine whose host key has changed gets nothing", async () => {
    const key = "/etc/ssh/ssh_host_ed25519_key";
    await lab.on(
      "test-lb-dc3",
      `cp -p ${key} /root/kept-key && rm ${key} && ssh-keygen -q -t ed25519 -N '' -f ${key} && systemctl restart ssh`,
    );
    try {
      const changed = await open(stackFile().set("nameservers", ["203.0.113.253"]), folder.path);
      const { code, stdout, stderr } = await changed.pulumi([
        "up",
        "--yes",
        "--skip-preview",
        "--stack",
        "test",
        "--config-file",
        changed.options.configFile!,
      ]);
      assert.notEqual(code, 0);
      assert.match(stdout + stderr, /host key mismatch|knownhosts|key mismatch/);
      assert.ok(!(await lab.on("test-lb-dc3", "cat /etc/network/interfaces")).includes("203.0.113.253"));
      const { vrrpPassword, privateKey } = secretsOf(await rootSecret(changed));
      for (const word of [vrrpPassword, privateKey]) assert.ok(!(stdout + stderr).includes(word));
    } finally {
      await lab.on(
        "test-lb-dc3",
        `mv /root/kept-key ${key} && ssh-keygen -y -f ${key} >${key}.pub && systemctl restart ssh`,
      );
    }
    const healed = await open(stackFile(), folder.path);
    await healed.up();
    await healed.up(["--expect-no-changes"]);
  });
});
