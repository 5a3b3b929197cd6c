import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { ROOT } from "../../operate/lab/places";
import { until } from "../../operate/poll";
import { type App, bootApp, filesBefore, GROUP, letServeSample, pushApp, STRANGER } from "./harness/apps";
import { assertDone, assertRefused } from "./harness/databases";
import type { Machine } from "./harness/machine";
import { type Result, must, run } from "./harness/shell";
import { Site } from "./harness/site";

const [FOUNDER, SECOND, THIRD] = GROUP;
const PORT = 9201;

let site: Site;
let founder: Machine;
let second: Machine;
let third: Machine;
let stranger: string;
let made = 3;

before(async () => {
  site = Site.open();
  [founder, second, third] = await Promise.all([
    bootApp(site, "app1", FOUNDER),
    bootApp(site, "app2", SECOND),
    bootApp(site, "app3", THIRD),
  ]);
  stranger = site.addNamespace("other", ["internal"]);
  must("ip", "-n", stranger, "addr", "add", `${STRANGER}/26`, "dev", "eth0");
});
after(() => site.close());

/** Deleted in the cloud, and made anew by Pulumi: the same address, an empty disk. */
async function remade(machine: Machine, node: App): Promise<Machine> {
  machine.powerOff();
  made += 1;
  return bootApp(site, `app${made}`, node);
}

const MARK = "ls /var/lib/ha-cluster/may-serve-sample 2>/dev/null || :";
const LEFT = "ls -A /srv/app 2>/dev/null || :";
const RUNNING = "readlink /srv/app/current";
const SECTION = /, see\ndocs\/recover\.md of ha-cluster, "No release comes"\./;

const mainPid = (machine: Machine): Promise<string> => machine.output("systemctl show -p MainPID --value app");
const health = (machine: Machine, { internal, port }: App): Promise<string> =>
  machine.output(`/opt/ha-cluster/ask.sh http ${internal} ${port} /healthz`);

/** What haproxy would get to see of it. */
async function assertServesNobody(machine: Machine, { port }: App): Promise<void> {
  assert.equal(await machine.output(`ss -Hltn 'sport = :${port}'`), "");
  assert.equal(await machine.output("systemctl is-active app || :"), "inactive");
}

/** As docs/build-a-cluster.md has it. */
async function deploy(machine: Machine, name: string, make: string): Promise<void> {
  await machine.output(`mkdir -p /srv/app/releases/${name} && cd /srv/app/releases/${name} && ${make}
ln -sfn releases/${name} /srv/app/next && mv -T /srv/app/next /srv/app/current && systemctl reload app`);
}

const says = (release: string): string =>
  `printf '%s\\n' 'def application(environ, start):' '    start("200 OK", [])' '    return [b"${release}"]' >wsgi.py`;

/** Everything that a copy could lose. */
const ODD = `mkdir -m 2775 shared && chgrp www-data shared && mkdir -m 0700 empty
head -c 3000000 /dev/urandom >'shared/with blanks, ä and "quotes"' && chown www-data:www-data shared/*
echo secret >key && chmod 0640 key && chgrp www-data key && echo root >roots && chmod 0600 roots
ln -s shared/none dangling && ln -s /etc/shadow outside && ln -s shared inside && ln wsgi.py hard
echo tool >tool && chmod 4755 tool && touch -d 2020-02-02T02:02:02 tool && mkdir .hidden && echo x >.hidden/x`;

/** Path, kind, mode, owner, size, time and where it leads, and all contents. */
const listing = (machine: Machine, release: string): Promise<string> =>
  machine.output(`cd /srv/app/releases/${release}
find . -printf '%P %y %m %u:%g %T@ %l\\n' | sed 's/\\.[0-9]* / /' | sort
find . -type f -exec sha256sum {} + | sort -k 2`);

/** Cuts what a machine gives in the middle, again and again. */
const cut = (machine: Machine): Promise<string> =>
  machine.output("systemd-run -q --unit=cutter sh -c 'while :; do pkill -KILL -x gzip; sleep 0.05; done'");
const heal = (machine: Machine): Promise<string> => machine.output("systemctl stop cutter");

/** From a server of another group. */
const asked = ({ internal }: App): Promise<Result> =>
  run(["ip", "netns", "exec", stranger, "sh", join(ROOT, "node/push/ask.sh"), "http", internal, `${PORT}`, "/", "10"]);

test("a server without leave serves nobody while none of its group gives it a release, and says why", async () => {
  const refused = await pushApp(second, SECOND);
  assertRefused(refused, /this server has no release, and nobody in its group gives it one/, SECTION);
  for (const { internal } of [FOUNDER, THIRD]) {
    assert.ok(refused.stderr.includes(`${internal}: cannot connect to port ${PORT}: Connection refused`), refused.text);
  }
  await assertServesNobody(second, SECOND);
  assert.equal(await second.output(LEFT), "");
});

test("leave to serve the sample outlives a push that fails, and is used once", async () => {
  assert.match(await letServeSample(founder), /may serve the sample, once/);
  await founder.output(`systemd-run -q --unit=squatter python3 -m http.server -b ${FOUNDER.internal} ${PORT}`);
  await until(
    "the squatter listens",
    () => founder.output(`ss -Hltn 'sport = :${PORT}'`),
    (said) => said !== "",
  );
  const failed = await pushApp(founder, FOUNDER);
  assert.match(failed.stderr, /app-release\.socket does not start(.*\n)*.*previous files are back/);
  await founder.output("systemctl stop squatter");
  assert.doesNotMatch(await founder.output(LEFT), /current/);
  assert.notEqual(await founder.output(MARK), "");

  assert.match(assertDone(await pushApp(founder, FOUNDER)).stdout, /current leads to releases\/sample/);
  assert.match(await health(founder, FOUNDER), /"server":"dev-app-dc3-1"/);
  assert.equal(await founder.output(MARK), "");
  assert.match(await letServeSample(founder), /has a release, and needs no sample/);
  assert.equal(await founder.output(MARK), "");
});

test("the others of a group that is being built serve the sample as well", async () => {
  assert.match(assertDone(await pushApp(second, SECOND)).stdout, new RegExp(`the sample, as on ${FOUNDER.internal}`));
  assert.equal(await second.output(RUNNING), "releases/sample");
  assert.match(assertDone(await pushApp(second, SECOND)).stdout, /nothing to change/);
});

test("a new server takes the release whole, before the sample that another still serves", async () => {
  await deploy(second, "42", `${says("42")}\n${ODD}`);
  assert.match(
    assertDone(await pushApp(third, THIRD)).stdout,
    new RegExp(`release: releases/42, from ${SECOND.internal}`),
  );
  assert.equal(await health(third, THIRD), "42");
  assert.equal(await third.output(RUNNING), "releases/42");
  // What would make its code root.
  const given = (await listing(second, "42")).replace("tool f 4755", "tool f 755");
  assert.equal(await listing(third, "42"), given);
  assert.match(given, /outside l 777 root:root \d+ \/etc\/shadow/);
  assert.match(given, /shared d 2775 root:www-data/);
  assert.deepEqual((await third.output(LEFT)).split("\n"), ["current", "releases"]);
});

test("who is no neighbour is given nothing, and who asks and never ends keeps nobody away", async () => {
  await second.output(`nft insert rule inet ha_cluster input ip saddr ${STRANGER} tcp dport ${PORT} accept`);
  const refused = await asked(SECOND);
  assert.deepEqual([refused.code, refused.stdout], [1, ""]);
  assert.match(refused.stderr, new RegExp(`403 .*${STRANGER} is no neighbour of this server`, "s"));

  const held = third.run(
    `bash -c 'for i in 3 4 5 6; do eval "exec $i<>/dev/tcp/${SECOND.internal}/${PORT}"; done; touch /run/held; sleep 20'`,
  );
  await until(
    "connections are held",
    () => third.run("test -e /run/held"),
    ({ code }) => code === 0,
  );
  const instances = (): Promise<string> => second.output("systemctl list-units --plain --no-legend 'app-release@*'");
  assert.notEqual(await instances(), "");
  await until("they are dropped", instances, (said) => said === "", { seconds: 15 });
  assert.equal(await second.output("systemctl list-units --failed --plain --no-legend 'app-release*'"), "");
  await held;
});

test("a founder made anew takes the release too, also when the transfer is cut at first: no half one is left", async () => {
  for (const machine of [second, third]) {
    await deploy(machine, "43", `${says("43")}\nhead -c 30000000 /dev/urandom >large`);
    await cut(machine);
  }
  founder = await remade(founder, FOUNDER);
  const refused = await pushApp(founder, FOUNDER);
  assertRefused(refused, SECTION);
  for (const { internal } of [SECOND, THIRD]) {
    const words = `${internal}: its release releases/43 did not come whole, only \\d+ bytes`;
    assert.match(refused.stderr, new RegExp(words));
  }
  await assertServesNobody(founder, FOUNDER);
  assert.equal(await founder.output(LEFT), "");

  for (const machine of [second, third]) await heal(machine);
  const push = pushApp(founder, FOUNDER);
  await until(
    "it takes",
    () => founder.run("test -s /srv/app/.ha-cluster-taken.tar.gz"),
    ({ code }) => code === 0,
  );
  await founder.output("systemctl kill -s KILL 'run-*.service'");
  assert.notEqual((await push).code, 0);
  assert.doesNotMatch(await founder.output(LEFT), /current/);
  assert.match(assertDone(await pushApp(founder, FOUNDER)).stdout, /current leads to releases\/43/);
  assert.equal(await health(founder, FOUNDER), "43");
  assert.equal(await listing(founder, "43"), await listing(second, "43"));
  assert.deepEqual((await founder.output(LEFT)).split("\n"), ["current", "releases"]);
});

test("a release that does not load is not kept, nor one whose push was killed, and the next push asks anew", async () => {
  for (const machine of [founder, second]) {
    await machine.output(`mkdir /srv/app/releases/44 && cd /srv/app/releases/44
printf '%s\\n' 'import time' 'time.sleep(5)' 'import no_such_module' >wsgi.py
ln -sfn releases/44 /srv/app/current`);
  }
  third = await remade(third, THIRD);
  const killed = pushApp(third, THIRD);
  await until(
    "it is linked",
    () => third.run(`test -e /srv/app/current`),
    ({ code }) => code === 0,
  );
  await third.output("systemctl kill -s KILL 'run-*.service'");
  assert.notEqual((await killed).code, 0);
  const failed = await pushApp(third, THIRD);
  assert.match(failed.stderr, /the release does not load:(.*\n)*.*no_such_module(.*\n)*.*previous files are back/);
  await assertServesNobody(third, THIRD);
  assert.doesNotMatch(await third.output(`${LEFT}; ls /srv/app/releases`), /44|current/);
  for (const machine of [founder, second]) await machine.output("ln -sfn releases/43 /srv/app/current");
  assertDone(await pushApp(third, THIRD));
  assert.equal(await health(third, THIRD), "43");
});

test("nothing outside /srv/app is given, and a release put there by hand is left as it is", async () => {
  for (const machine of [founder, second]) {
    await machine.output("cp -a /srv/app/releases/43 /opt/43 && ln -sfn /opt/43 /srv/app/current");
  }
  third = await remade(third, THIRD);
  assertRefused(
    await pushApp(third, THIRD),
    /409 |its release is \/opt\/43, and only a folder below \/srv\/app\/releases/,
  );
  await third.output(`mkdir -p /srv/app/releases/mine && cd /srv/app/releases/mine && ${says("mine")}
ln -s releases/mine /srv/app/current`);
  assertDone(await pushApp(third, THIRD));
  assert.equal(await health(third, THIRD), "mine");
});

test("a machine as the version before pushed to it gets what is new, and its application runs on", async () => {
  third = await remade(third, THIRD);
  await third.output("mkdir -p /srv/app && ln -s releases/sample /srv/app/current");
  assertDone(await pushApp(third, THIRD, filesBefore(THIRD)));
  const [pid, workers] = [await mainPid(third), `ps --no-headers -o pid --ppid ${await mainPid(third)}`];
  const before = await third.output(workers);
  assert.equal(await third.output(`ss -Hltn 'sport = :${PORT}'`), "");
  assertDone(await pushApp(third, THIRD));
  assert.deepEqual([await mainPid(third), await third.output(workers)], [pid, before]);
  assert.notEqual(await third.output(`ss -Hltn 'sport = :${PORT}'`), "");
  await third.output("systemctl stop app-release.socket");
  assert.match(assertDone(await pushApp(third, THIRD)).stdout, /app-release\.socket\n(.*\n)*.*in force again/);
  assert.equal(await mainPid(third), pid);
});
