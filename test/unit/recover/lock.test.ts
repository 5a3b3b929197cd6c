import assert from "node:assert/strict";
import { test } from "node:test";
import { isHeld, locksIn, saidOf } from "../../../recover/lock";

const SAID = `error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  file:///srv/state/.pulumi/locks/organization/ha-cluster/acme/6ab.json?no_tmp_dir=true: created by ann@admin1 (pid 19871) at 2026-11-27T22:16:07Z`;

test("whose lock it is, as Pulumi tells it", () => {
  const lock = { user: "ann", host: "admin1", pid: 19871, since: "2026-11-27T22:16:07Z" };
  assert.deepEqual(locksIn(SAID), [lock]);
  assert.deepEqual(locksIn("error: no stack named 'acme' found"), []);
  const at = (host: string, program?: string): boolean | undefined => isHeld(lock, host, () => program);
  assert.deepEqual(
    [at("admin1", "pulumi"), at("admin1", "bash"), at("admin1"), at("admin2")],
    [true, false, false, undefined],
  );
  assert.match(saidOf(lock, true), /^ann on admin1 \(pid 19871\).* since 2026-11-27T22:16:07Z, and is at work: wait/);
  assert.match(saidOf(lock, false), /that process is gone: the lock is taken away/);
  assert.match(saidOf(lock, undefined), /`ps -p 19871` there shows no pulumi, the same command with --unlock/);
});

test("whether a process lives is asked of this machine", () => {
  const mine = { user: "me", host: "here", since: "" };
  assert.equal(isHeld({ ...mine, pid: process.pid }, "here"), false, "it is no pulumi");
  assert.equal(isHeld({ ...mine, pid: 2 ** 22 + 1 }, "here"), false, "there is no such process");
});
