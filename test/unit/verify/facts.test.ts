import assert from "node:assert/strict";
import { test } from "node:test";
import { bundle } from "../../../render/bundle";
import { selfExtracting } from "../../../render/scripts";
import { parseFacts } from "../../../verify/gather/facts";
import { filesOfBundle, filesOfScripts } from "../../../verify/gather/pushed";
import { ANSWER } from "./fixtures/answer";

const ASKED = { before: 100, after: 101 };

test("what a bundle was made of comes out of it again", () => {
  const files = [
    { path: "/etc/a", mode: "0644" as const, text: "one\n\ntwo\n" },
    { path: "/etc/b", mode: "0600" as const, text: "no newline at the end" },
  ];
  assert.deepEqual(filesOfBundle(bundle(files), "config"), [
    { path: "/etc/a", mode: "644", owner: "root:root", text: "one\n\ntwo\n", part: "config" },
    { path: "/etc/b", mode: "600", owner: "root:root", text: "no newline at the end\n", part: "config" },
  ]);
});

test("so do scripts", () => {
  const text = selfExtracting({ "a.sh": "#!/bin/sh\ncat <<'EOF'\nx\nEOF\n", "b.sh": "true" }, "/opt/ha-cluster");
  assert.deepEqual(
    filesOfScripts(text).map(({ path, mode, text: script }) => ({ path, mode, script })),
    [
      { path: "/opt/ha-cluster/a.sh", mode: "755", script: "#!/bin/sh\ncat <<'EOF'\nx\nEOF\n" },
      { path: "/opt/ha-cluster/b.sh", mode: "755", script: "true\n" },
    ],
  );
});

test("a machine's answer is read section by section", () => {
  const facts = parseFacts("lb", ANSWER, ASKED);
  assert.deepEqual(facts.clock, { now: 5000.5, uptime: 1000.5 });
  assert.deepEqual(facts.files.get("/etc/haproxy/haproxy.cfg"), {
    state: "present",
    mode: "644",
    owner: "root:root",
    changed: 4100,
    same: false,
    text: "global\n    daemon @here\n\n",
  });
  assert.deepEqual(facts.files.get("/etc/gone"), { state: "absent" });
  assert.deepEqual(facts.files.get("/etc/link"), { state: "other" });
  assert.equal(facts.units.get("haproxy.service")!.changed, 4099);
  assert.equal(facts.units.get("nftables.service")!.enabled, "disabled");
  assert.equal(facts.started.get(700), 4098.25);
  assert.equal(facts.worker, 700);
  assert.deepEqual(facts.listeners, [
    { endpoint: "203.0.113.100:80", program: "haproxy" },
    { endpoint: "[2001:db8::1]:80", program: "haproxy" },
  ]);
  assert.deepEqual(facts.backends, [{ backend: "web", server: "app-1", status: "DOWN 1/2" }]);
  assert.equal(facts.marks.get("maintenance"), "");
  assert.deepEqual([...facts.packages], [["haproxy", "2.6.12-1"]]);
  assert.ok(facts.sync.container);
});

test("an answer that was cut is none", () => {
  assert.throws(() => parseFacts("lb", ANSWER.replace("@end\n", ""), ASKED), /cut off/);
});
