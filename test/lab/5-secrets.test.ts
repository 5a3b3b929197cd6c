import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { exec } from "../../operate/exec";
import type { Stack } from "../../operate/stack";
import { DerivedSecrets } from "../../secrets/derive";
import { cluster, lab, open, stackFile } from "./support";
import { temporaryFolder } from "../support/folder";

describe("what must not be known", () => {
  const folder = temporaryFolder();
  let stack: Stack;
  /** Values that only secret places may hold; of keys, a line from their middle. */
  let words: string[];

  before(async () => {
    stack = await open(stackFile(), folder.path);
    const config = (path: string): Promise<string> =>
      stack.must(["config", "get", "--path", path, "--stack", "test", "--config-file", stack.options.configFile!]);
    const root = (await config("rootSecret")).trim();
    const secrets = new DerivedSecrets(root);
    const middle = (key: string): string => key.trim().split("\n")[2]!;
    words = [
      root,
      secrets.vrrpPassword(),
      secrets.databasePassword("app"),
      middle(secrets.clientKey().privateKey),
      middle(secrets.hostKey("lb-dc1").privateKey),
      middle(await config("certificates.www.privateKey")),
    ];
  });
  after(() => folder.remove());

  function noneIn(text: string, where: string): void {
    words.forEach((word, index) => assert.ok(!text.includes(word), `secret number ${index} in ${where}`));
  }

  test("the words searched for are those in use", async () => {
    const file = await lab.on("test-lb-dc1", "cat /etc/keepalived/password.conf");
    assert.ok(file.includes(words[1]!));
    const key = await lab.on("test-lb-dc1", "cat /etc/haproxy/certs/www.pem");
    assert.ok(key.includes(words[5]!));
  });

  test("not in `pulumi stack export`", async () => {
    noneIn(await stack.must(["stack", "export", "--stack", "test"]), "the state");
  });

  test("not in outputs, previews and updates", async () => {
    noneIn(JSON.stringify(await stack.outputs()), "the outputs");
    // Another root makes all secrets new: the preview has every secret of both in hand, and must show none.
    const other = await open(stackFile().set("customer", "other").set("clusterName", "test"), folder.path);
    noneIn((await other.preview(["--diff", "--show-secrets=false"])).stdout, "the preview");
  });

  test("not in files that others can read, in logs, nor in the process list of any machine", async () => {
    const patterns = `${words.join("\n")}\n`;
    for (const machine of [...cluster.loadBalancers, ...cluster.databases, ...cluster.appServers]) {
      // The patterns come on stdin, or grep's own command line would be found.
      const script = [
        "umask 077; cat >/root/words",
        "find / -xdev -type f -perm /044 -size -4096k -not -path '/proc/*' -print0 | xargs -0 -r grep --files-with-matches --fixed-strings --file=/root/words --",
        "journalctl --quiet --no-pager | grep --fixed-strings --file=/root/words | head -3",
        "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep --fixed-strings --file=/root/words",
        "rm /root/words",
      ].join("; ");
      const { stdout } = await lab.sshWithInput(machine, script, patterns);
      assert.equal(stdout, "", machine);
    }
  });

  test("not in files that others can read on the host", async () => {
    const list = "find /var/lib/ha-cluster /var/cache/ha-cluster /tmp -xdev -type f -perm /044 -size -1024k -print0";
    // The patterns come on stdin, or grep's own command line would be found.
    const search = `patterns=$(mktemp); trap 'rm -f "$patterns"' EXIT; cat >"$patterns"; ${list} | xargs -0 -r grep --files-with-matches --fixed-strings --file="$patterns" --`;
    const { stdout } = await exec("bash", ["-c", search], { input: `${words.join("\n")}\n` });
    assert.equal(stdout, "");
  });

  test("files with secrets are root's alone", async () => {
    for (const [machine, paths] of [
      ["test-lb-dc1", ["/etc/keepalived/password.conf", "/etc/haproxy/certs/www.pem"]],
      ["test-db-dc1", ["/etc/ha-cluster/secrets/database"]],
      ["test-app-dc1-1", ["/etc/ha-cluster/secrets/app.env"]],
    ] as const) {
      assert.match(await lab.on(machine, `stat --format %a:%U ${paths.join(" ")}`), /^(600:root\n)+$/);
    }
  });
});
