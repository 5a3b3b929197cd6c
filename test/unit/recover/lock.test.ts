import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { until } from "../../../operate/poll";
import { temporaryFolder } from "../../support/folder";
import { isHeld, locksIn, saidOf, type Seen } from "../../../recover/lock";

const SAID = `error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  file:///srv/state/.pulumi/locks/organization/ha-cluster/acme/6ab.json?no_tmp_dir=true: created by ann@admin1 (pid 19871) at 2026-11-27T22:16:07Z`;

test("whose lock it is, as Pulumi tells it", () => {
  const lock = { user: "ann", host: "admin1", pid: 19871, since: "2026-11-27T22:16:07Z" };
  assert.deepEqual(locksIn(SAID), [lock]);
  assert.deepEqual(locksIn("error: no stack named 'acme' found"), []);
  const here: Seen = { host: "admin1", user: "ann", all: true, engines: [[7, 3], [19872]] };
  assert.equal(isHeld(lock, here), false);
  assert.equal(isHeld(lock, { ...here, engines: [[31, 19871]] }), true, "also by its number in a container");
  for (const blind of [{ host: "admin2" }, { user: "bob" }, { all: false }])
    assert.equal(isHeld(lock, { ...here, ...blind }), undefined, JSON.stringify(blind));
  assert.match(
    saidOf(lock, true, true),
    /^ann on admin1 \(pid 19871\).* since 2026-11-27T22:16:07Z, and a pulumi .*: wait/,
  );
  assert.match(saidOf(lock, false, false), /that process is gone: the lock is taken away/);
  assert.match(saidOf(lock, undefined, false), /`ps -p 19871` there shows no pulumi, the same command with --unlock/);
  assert.match(saidOf(lock, undefined, true), /it is taken away, as --unlock says/);
});

test("who is at work on this machine is asked of it", async () => {
  const folder = temporaryFolder();
  const engine = join(folder.path, "pulumi");
  copyFileSync("/bin/sleep", engine);
  const child = spawn(engine, ["60"]);
  try {
    const mine = { user: userInfo().username, host: hostname(), since: "", pid: child.pid! };
    await until(
      "it to run",
      () => Promise.resolve(isHeld(mine)),
      (held) => held === true,
    );
    assert.notEqual(isHeld({ ...mine, pid: process.pid }), true, "it is no pulumi");
    assert.equal(isHeld({ ...mine, host: "elsewhere" }), undefined);
  } finally {
    child.kill("SIGKILL");
    folder.remove();
  }
});
