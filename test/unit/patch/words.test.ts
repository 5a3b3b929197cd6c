import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFacts } from "../../../patch/facts";
import { planWords } from "../../../patch/words";

const LOOK = `waiting up to 240 s for a lock: Could not get lock
boot 5d3f
half man-db half-configured
update libssl3 3.0.11-1 3.0.14-1 security
update linux-image-6.1.0-22-amd64 - 6.1.94-1 security
update tzdata 2024a 2024b other
held haproxy 2.6.12-1 2.6.13-1 loadBalancers.packages.haproxy
held php 1 2 apt keeps it back: apt-get install php says why
stale own haproxy libssl.so.3
stale own haproxy libcrypto.so.3
stale other cron libc.so.6
reboot kernel 6.1.0-21-amd64 runs, 6.1.0-22-amd64 is installed
reboot run on files that were replaced: cron
end
`;

const NONE = "boot 5d3f\nend\n";

test("a look is read, and one that was cut is none", () => {
  const facts = parseFacts(LOOK);
  assert.deepEqual(facts.updates[1], { name: "linux-image-6.1.0-22-amd64", to: "6.1.94-1", security: true });
  assert.deepEqual([facts.boot, facts.half, facts.stale], ["5d3f", ["man-db"], ["haproxy"]]);
  assert.equal(facts.held[1]!.why, "apt keeps it back: apt-get install php says why");
  assert.throws(() => parseFacts(LOOK.replace(/end\n$/, "")), /cut off/);
});

test("an operator reads who is next, what is updated, held and rebooted, and what customers notice", () => {
  const turns = [
    { name: "acme-lb-dc2", id: "lb-dc2", role: "load-balancer" as const, facts: parseFacts(NONE) },
    { name: "acme-lb-dc1", id: "lb-dc1", role: "load-balancer" as const, facts: parseFacts(LOOK) },
  ];
  assert.equal(
    planWords(turns, "acme-lb-dc1", "needed", false),
    `  1  acme-lb-dc2: nothing to do, left alone
  2  acme-lb-dc1 (active): 3 updates, 2 of them security's; REBOOTS
       libssl3 3.0.11-1 → 3.0.14-1, linux-image-6.1.0-22-amd64 6.1.94-1 (new), tzdata 2024a → 2024b
       left half-way by an earlier update: man-db
       restarts, as it runs on files that were replaced: haproxy
       held: haproxy 2.6.12-1, though there is 2.6.13-1 (loadBalancers.packages.haproxy)
       held: php 1, though there is 2 (apt keeps it back: apt-get install php says why)
       reboot due: kernel 6.1.0-21-amd64 runs, 6.1.0-22-amd64 is installed
       reboot due: run on files that were replaced: cron

One after the other, in this order; each has to serve, and all others with it, before the next. The first that fails ends it.
customers: the active load balancer hands its VIPs over and drains for up to 60 s: only a download or websocket that takes longer is cut`,
  );
  const never = planWords(turns, undefined, "never", false);
  assert.match(never, /acme-lb-dc1: 3 updates, 2 of them security's; no reboot/);
  assert.match(never, /reboot due, and not made: kernel/);
});

test("nothing to do is said, and nobody is worried", () => {
  const turns = [{ name: "acme-db-dc1", id: "db-dc1", role: "database" as const, facts: parseFacts(NONE) }];
  assert.equal(
    planWords(turns, undefined, "needed", false),
    "  1  acme-db-dc1: nothing to do, left alone\n\nnothing to do",
  );
});
