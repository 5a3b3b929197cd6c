import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { exec, type Result } from "../../../operate/exec";
import { temporaryFolder } from "../../support/folder";

const ROOT = join(__dirname, "..", "..", "..");
const EXAMPLES = join(ROOT, "docs", "examples");

function plan(...args: string[]): Promise<Result> {
  return exec(process.execPath, ["--import", "tsx", join(ROOT, "cli", "plan.ts"), ...args], { cwd: ROOT });
}

describe("`npm run plan`", () => {
  const folder = temporaryFolder();
  const second = join(folder.path, "Pulumi.globex.yaml");
  const text = readFileSync(join(EXAMPLES, "Pulumi.acme.yaml"), "utf8");

  before(() => {
    copyFileSync(join(ROOT, "Pulumi.yaml"), join(folder.path, "Pulumi.yaml"));
    writeFileSync(join(folder.path, "Pulumi.acme.yaml"), text);
  });
  after(() => folder.remove());

  for (const name of ["acme", "existing"])
    test(`takes the example ${name} as it stands`, async () => {
      const { code, stderr } = await plan(join(EXAMPLES, `Pulumi.${name}.yaml`));
      assert.equal(code, 0, stderr);
    });

  test("refuses a copy of another customer's file beside it, naming both, and takes one with places of its own", async () => {
    writeFileSync(second, text.replaceAll(/(cloud|customer): acme/g, "$1: globex"));
    const refused = await plan(second);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /ha-cluster:vips\.www\.ipv4\n\s+203\.0\.113\.100 is `vips\.www\.ipv4` of Pulumi\.acme\.yaml as well\n/,
    );
    const alone = await plan(second, "--alone");
    assert.equal(alone.code, 0, alone.stderr);

    writeFileSync(
      second,
      text
        .replaceAll(/(cloud|customer): acme/g, "$1: globex")
        .replace("gateway: 203.0.113.1 }", "gateway: 203.0.113.1, loadBalancers: [203.0.113.112-203.0.113.114] }")
        .replace('gateway: "2001:db8:45::1" }', 'gateway: "2001:db8:45::1", firstSubnet: "2001:db8:45:100::/64" }')
        .replace('[203.0.113.96/28, "2001:db8:45:67bb::/64"]', '[203.0.113.120/29, "2001:db8:45:1ff::/64"]')
        .replace('203.0.113.100, ipv6: "2001:db8:45:67bb::1"', '203.0.113.121, ipv6: "2001:db8:45:1ff::1"')
        .replace("203.0.113.101", "203.0.113.122"),
    );
    const taken = await plan(second);
    assert.equal(taken.code, 0, taken.stderr);
    assert.match(taken.stdout, /globex-lb-dc3:[^]*ipv4: 203\.0\.113\.114/);
  });

  test("says of another file that can't be compared what that means, and goes on", async () => {
    writeFileSync(second, "config:\n  ha-cluster:vips: {}\n");
    const { code, stderr } = await plan(join(folder.path, "Pulumi.acme.yaml"));
    assert.equal(code, 0, stderr);
    assert.match(stderr, /\(Pulumi\.globex\.yaml\)\n\s+can't be compared with this stack/);
  });
});
