import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkTimers } from "../../../plan/lint/timers";
import { plan } from "../../../plan/plan";
import type { HaproxyTimers } from "../../../plan/timers";
import type { TrackScript } from "../../../plan/vrrp";
import { dualStack, elaborate, ipv4Only, specOf } from "../../support/specs";
import { backend, balancer, breaking, frontend, script } from "./break";

function haproxy(title: string, changes: Partial<HaproxyTimers>, cause: RegExp): void {
  breaking(
    title,
    dualStack(),
    (plan) => Object.assign(balancer(plan, "lb-dc2").haproxy.timers, changes),
    "(timers)",
    cause,
  );
}

function keepalived(title: string, name: string, changes: Partial<TrackScript>, cause: RegExp): void {
  breaking(title, dualStack(), (plan) => Object.assign(script(plan, "lb-dc2", name), changes), "(timers)", cause);
}

describe("timers", () => {
  test("today's are right", () => {
    for (const raw of [dualStack(), ipv4Only(), elaborate()]) {
      assert.deepEqual([...checkTimers(plan(specOf(raw)))], []);
    }
  });

  keepalived("a script that outlasts its turn", "maintenance", { timeout: 3 }, /“a run skips one turn at most”/);
  keepalived(
    "a verdict beyond the goal",
    "maintenance",
    { fall: 5 },
    /“a fault moves the VIPs within the goal”: .* \(11 s\) exceeds the goal \(10 s\)/,
  );
  breaking(
    "a reload that counts as a fault",
    dualStack(),
    (plan) => {
      // Faster checks of the servers, so that this rule alone is broken.
      Object.assign(script(plan, "lb-dc2", "haproxy"), { fall: 1 });
      Object.assign(balancer(plan, "lb-dc2").haproxy.timers, { inter: 0.5, check: 1 });
    },
    "(timers)",
    /lb-dc2: keepalived's script haproxy breaks “a reload is no fault”: a reload \(1 s\) exceeds .* \(0 s\)/,
  );
  haproxy("servers that go after the load balancer", { inter: 1.5 }, /“a server goes before a load balancer does”/);
  haproxy("a check beyond its verdict", { check: 3 }, /“a check ends before the verdict of a refused one”/);
  breaking(
    "a server that hangs beyond the goal",
    dualStack(),
    (plan) => {
      Object.assign(balancer(plan, "lb-dc2").haproxy.timers, { fall: 4, check: 1.6 });
      Object.assign(script(plan, "lb-dc2", "haproxy"), { fall: 4 });
    },
    "(timers)",
    /“a server that hangs goes within the goal”/,
  );
  haproxy(
    "retries that end before the server is down",
    { retries: 1 },
    /“a request outlives the server that it met first”/,
  );
  haproxy(
    "a request that is given up unread",
    { httpRequest: 61 },
    /“a request is read before its client is given up”/,
  );
  haproxy("an idle connection kept too long", { httpKeepAlive: 61 }, /“an idle connection is kept no longer/);
  haproxy(
    "a reload that cuts connections",
    { hardStopAfter: 300 },
    /to backend database breaks “a reload cuts nothing/,
  );

  breaking(
    "clients cut before their servers",
    dualStack({ services: { web: { http: 80 } } }),
    (plan) => Object.assign(balancer(plan, "lb-dc2").haproxy.timers, { server: 90 }),
    "(timers)",
    /http-in to backend web breaks “a client waits/,
  );
  breaking(
    "the database's clients cut before a long query ends",
    dualStack(),
    (plan) => delete frontend(plan, "lb-dc2", "database-in").clientTimeout,
    "(timers)",
    /database-in to backend database breaks “a client waits as long as its server may take”: timeout server \(600 s\) exceeds timeout client \(60 s\)/,
  );
  breaking(
    "the database's servers cut before their clients",
    dualStack(),
    (plan) => delete backend(plan, "lb-dc2", "database").serverTimeout,
    "(timers)",
    /“a server is kept as long as its client”/,
  );
  breaking(
    "a doubtful database looked at less often",
    dualStack(),
    (plan) => Object.assign(backend(plan, "lb-dc2", "database").check, { fastInter: 3 }),
    "(timers)",
    /“a doubtful database is looked at more often”/,
  );
  breaking(
    "a database that hangs beyond the goal",
    dualStack(),
    (plan) => Object.assign(backend(plan, "lb-dc2", "database").check, { inter: 8 }),
    "(timers)",
    /“a database that hangs goes within the goal”/,
  );
});
