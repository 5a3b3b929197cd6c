import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { ROOT } from "../../../operate/lab/places";

const NODE = join(ROOT, "node");

/** Run only on machines that the stack made, which have Debian 12 or later. */
const OURS_ALONE = [
  "drain.sh",
  "farewell.sh",
  "patch.sh",
  "updates.sh",
  "galera.sh",
  "galera-sync.sh",
  "galera-boot.sh",
  "galera-guard.sh",
  "galera-history.sh",
];

const scripts = readdirSync(NODE, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".sh") && !OURS_ALONE.includes(basename(path)))
  .map((path) => ({ path, text: readFileSync(join(NODE, path), "utf8").replace(/^\s*#.*$/gm, "") }));

/** What hosts as old as Ubuntu 16.04 and 18.04 have no word for. */
const UNKNOWN: { what: string; pattern: RegExp; text?: (script: string) => string }[] = [
  { what: "ss -H (iproute2 4.3)", pattern: /\bss +-[A-Za-z]*H/ },
  { what: "systemctl show --value (systemd 229)", pattern: /systemctl show[^\n]*--value/ },
  { what: "classes like [[:space:]] in awk (mawk 1.3.3)", pattern: /\[\[:/, text: awkPrograms },
  { what: "intervals like {2} in awk (mawk 1.3.3)", pattern: /\{\d+(,\d*)?\}/, text: awkPrograms },
  { what: "gawk's own functions", pattern: /\b(gensub|strftime|systime|nextfile)\b/, text: awkPrograms },
];

function awkPrograms(script: string): string {
  return [...script.matchAll(/\bawk\b[^'\n]*'([^']*)'/g)].map(([, program]) => program).join("\n");
}

describe("scripts for hosts that somebody else built", () => {
  for (const { what, pattern, text = (script: string): string => script } of UNKNOWN) {
    test(`none uses ${what}`, () => {
      const users = scripts.filter((script) => pattern.test(text(script.text))).map(({ path }) => path);
      assert.deepEqual(users, []);
    });
  }

  test("every awk program is looked at", () => {
    const shown = scripts.flatMap(({ text }) => text.match(/\bawk\b/g) ?? []).length;
    const read = scripts.flatMap(({ text }) => [...text.matchAll(/\bawk\b[^'\n]*'[^']*'/g)]).length;
    assert.ok(read > 20);
    assert.equal(read, shown);
  });

  test("each instance of a found keepalived.conf gets the least priority", () => {
    const found = `vrrp_script check {
\tpriority_file x
}
vrrp_instance VI_1 {
\tpriority 150
}
  vrrp_instance VI_2
{
    interface eth0
    priority 100 # high
}
`;
    const lowered = spawnSync("sh", ["-ec", `. ${join(NODE, "adopt", "theirs.sh")}; lower_priorities`], {
      encoding: "utf8",
      input: found,
    });
    assert.equal(
      lowered.stdout,
      `vrrp_script check {
\tpriority_file x
}
vrrp_instance VI_1 {
    priority 1
}
  vrrp_instance VI_2
{
    priority 1
    interface eth0
}
`,
    );
  });
});
