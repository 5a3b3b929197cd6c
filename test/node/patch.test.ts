import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { localRepository } from "../../harness/packages";
import { until } from "../../operate/poll";
import { parseFacts, type Facts } from "../../patch/facts";
import { updatesFiles } from "../../render/updates";
import { bundle } from "../../render/bundle";
import { edit } from "./harness/bundles";
import { assertDone, certificate, Client, files, secretsWith, untilMaster, VIPS, vips } from "./harness/load-balancers";
import type { Machine } from "./harness/machine";
import { Site } from "./harness/site";

const ROLE = "load-balancer";
const OWN_FILES = edit(bundle(updatesFiles()), "==> end\n", "");

let site: Site;
let client: Client;
let lb1: Machine, lb2: Machine;
/** As the image has them. */
let installed: Record<"haproxy" | "keepalived", string>;

before(async () => {
  site = Site.open();
  client = Client.on(site);
  [lb1, lb2] = await Promise.all([
    site.boot("lb1", ["external", "internal"]),
    site.boot("lb2", ["external", "internal"]),
  ]);
  const pem = await certificate(lb1, "www");
  for (const machine of [lb1, lb2]) {
    assertDone(await machine.push(ROLE, "secrets", secretsWith(pem)));
    assertDone(await machine.push(ROLE, "files", machine === lb1 ? files.lb1 : files.lb2));
  }
  await untilMaster(lb1);
  await Promise.all([lb1, lb2].map((machine) => machine.output(localRepository([]))));
  installed = { haproxy: await version("haproxy"), keepalived: await version("keepalived") };
});
after(() => site.close());

function version(name: string): Promise<string> {
  return lb1.output(`dpkg-query -W -f='\${Version}' ${name}`);
}

async function look(machine: Machine): Promise<Facts> {
  const result = await machine.patch(ROLE, "look");
  assert.equal(result.code, 0, result.text);
  return parseFacts(result.stdout);
}

const pids = (machine: Machine): Promise<string> => machine.output("systemctl show -p MainPID haproxy keepalived");

async function serves(machine: Machine): Promise<void> {
  assert.equal((await machine.patch(ROLE, "serves")).code, 0);
  const left = "ls /usr/sbin/policy-rc.d /run/ha-cluster/maintenance /run/ha-cluster/leaving 2>/dev/null || :";
  assert.equal(await machine.output(left), "", "nothing is left of the farewell");
}

/** VIPs go to lb1, which is not a server like any other: it is the one that is updated here. */
async function active(): Promise<void> {
  if ((await vips(lb1)).length < VIPS.length) {
    await lb2.output("touch /run/ha-cluster/maintenance");
    await untilMaster(lb1);
    await lb2.output("rm /run/ha-cluster/maintenance");
  }
}

function withPin(name: string, wanted: string): string {
  return edit(files.lb1, "==> end\n", `==> /etc/ha-cluster/packages 0644 root:root\n${name} ${wanted}\n==> end\n`);
}

test("what keeps updates from daemons comes without a handover, and apt reads it", async () => {
  const before = await pids(lb1);
  const result = await lb1.push(ROLE, "files", edit(files.lb1, "==> end\n", `${OWN_FILES}==> end\n`));
  assertDone(result);
  assert.match(result.stdout, /new \/etc\/apt\/apt\.conf\.d\/52ha-cluster/);
  assert.doesNotMatch(result.stdout, /handover/);
  assert.equal(await pids(lb1), before);
  assert.deepEqual(await vips(lb1), VIPS);
  const read = await lb1.output("apt-config dump | grep ^Unattended-Upgrade");
  for (const name of ["keepalived", "haproxy", "mariadb-", "galera-", "nftables"])
    assert.match(read, new RegExp(`Package-Blacklist:: "\\^${name}`));
  assert.match(read, /Automatic-Reboot "false"/);
  // As needrestart reads it.
  const regular = `perl -e 'our %nrconf; open my $file, "<", "/etc/needrestart/conf.d/ha-cluster.conf"; local $/; eval <$file>;
    die $@ if $@;
    for my $unit (@ARGV) { print "$unit\\n" if grep { $unit =~ $_ } keys %{$nrconf{override_rc}} }' --`;
  assert.equal(
    await lb1.output(`${regular} haproxy.service keepalived mariadb.service ssh.service haproxy-exporter.service`),
    "haproxy.service\nkeepalived\nmariadb.service",
  );
});

test("where there is nothing to do, a look says so and touches nothing; a reboot that is due is seen", async () => {
  const before = await pids(lb1);
  const { updates, held, half, stale, reboot } = await look(lb1);
  assert.deepEqual({ updates, held, half, stale, reboot }, { updates: [], held: [], half: [], stale: [], reboot: [] });
  await lb1.output("echo linux-image-9.9 >/run/reboot-required.pkgs; touch /run/reboot-required");
  assert.deepEqual((await look(lb1)).reboot, ["asked for by linux-image-9.9"]);
  await lb1.output("rm /run/reboot-required*");
  assert.equal(await pids(lb1), before);
  assert.deepEqual(await vips(lb1), VIPS);
});

test("an archive that does not answer is an error, and no update that was overlooked", async () => {
  await lb2.output("mv /etc/apt/sources.list /root/; echo 'deb http://203.0.113.60/none ./' >/etc/apt/sources.list");
  const blind = await lb2.patch(ROLE, "look");
  await lb2.output("mv /root/sources.list /etc/apt/sources.list");
  assert.notEqual(blind.code, 0);
  assert.match(blind.stderr, /cannot upgrade: mend apt on this machine .* patch again/);
});

test("the active one hands over, is updated but for what the stack file names, and serves again", async () => {
  assertDone(await lb1.push(ROLE, "files", withPin("keepalived", installed.keepalived)));
  await lb1.output(
    localRepository([
      { package: "haproxy", suffix: "+next" },
      { package: "keepalived", suffix: "+next" },
    ]),
  );
  const seen = await look(lb1);
  assert.deepEqual(seen.updates, [
    { name: "haproxy", from: installed.haproxy, to: `${installed.haproxy}+next`, security: false },
  ]);
  assert.deepEqual(seen.held, [
    {
      ...{ name: "keepalived", installed: installed.keepalived, candidate: `${installed.keepalived}+next` },
      why: "loadBalancers.packages.keepalived",
    },
  ]);
  const before = await pids(lb1);
  const result = await lb1.patch(ROLE, "run", "needed");
  assertDone(result);
  assert.match(result.stdout, /another load balancer took the VIPs.*serves no more.*updated.*serves again/s);
  assert.equal(await version("haproxy"), `${installed.haproxy}+next`);
  assert.equal(await version("keepalived"), installed.keepalived);
  for (const line of before.split("\n").filter((each) => each !== ""))
    assert.ok(!(await pids(lb1)).split("\n").includes(line), "its daemons started afresh");
  await serves(lb1);
  assert.deepEqual(await vips(lb2), VIPS);
  assert.notEqual(await client.get("http://203.0.113.48/"), "");
  assert.deepEqual((await look(lb1)).updates, []);
});

test("a daemon that runs on a file that was replaced is seen; others ask for a reboot", async () => {
  await lb1.output("cp -a /usr/sbin/haproxy /usr/sbin/haproxy.new && mv /usr/sbin/haproxy.new /usr/sbin/haproxy");
  await lb1.output(
    "cp -a /bin/sleep /usr/bin/sleeper && systemd-run -q -p Type=exec --unit=sleeper /usr/bin/sleeper 600 && rm /usr/bin/sleeper",
  );
  const { stale, reboot } = await look(lb1);
  await lb1.output("systemctl stop sleeper");
  assert.deepEqual(stale, ["haproxy"]);
  assert.deepEqual(reboot, ["run on files that were replaced: sleeper"]);
  assertDone(await lb1.patch(ROLE, "run", "never"));
  assert.deepEqual((await look(lb1)).stale, []);
});

test("an update that can't be configured ends in apt's words, and the machine serves; the next one mends it", async () => {
  await active();
  assertDone(await lb1.push(ROLE, "files", files.lb1));
  await lb1.output(
    localRepository([
      { package: "haproxy", suffix: "+worse", unconfigurable: true },
      { package: "haproxy", suffix: "+xbetter" },
    ]),
  );
  await lb1.output(`cd /root/repository; mv Packages all; perl -00 -ne 'print if /\\+worse$/m' all >Packages`);
  const failed = await lb1.patch(ROLE, "run", "needed");
  assert.equal(failed.code, 1, failed.text);
  assert.match(failed.stderr, /the updates failed:.*it can not be configured.*cannot upgrade: mend apt/s);
  assert.match(failed.stdout, /serves again/);
  await serves(lb1);
  assert.equal(await lb1.output("cat /run/ha-cluster/patch-ended"), "1");
  assert.deepEqual((await look(lb1)).half, ["haproxy"]);

  await lb1.output("mv /root/repository/all /root/repository/Packages");
  assertDone(await lb1.patch(ROLE, "run", "needed"));
  assert.match(await version("haproxy"), /\+xbetter$/);
  assert.equal(await lb1.output("dpkg --audit; cat /run/ha-cluster/patch-ended"), "0");
  await serves(lb1);
});

test("without anybody to hand over to, nothing is touched", async () => {
  await active();
  await lb1.output(localRepository([{ package: "haproxy", suffix: "+last" }]));
  await lb2.output("systemctl stop keepalived");
  const before = await pids(lb1);
  const refused = await lb1.patch(ROLE, "run", "always");
  await lb2.output("systemctl start keepalived");
  assert.equal(refused.code, 1, refused.text);
  assert.match(refused.stderr, /no other load balancer took the VIPs, so this one stays/);
  assert.doesNotMatch(refused.stdout, /reboots now/);
  assert.equal(await pids(lb1), before);
  assert.doesNotMatch(await version("haproxy"), /\+last$/);
  await serves(lb1);
});

test("a run that is stopped from outside brings the machine back", async () => {
  await until(
    "lb2 is ready",
    () => lb2.patch(ROLE, "serves"),
    ({ code }) => code === 0,
  );
  await active();
  const run = lb1.patch(ROLE, "run", "needed");
  await until(
    "its daemons are stopped",
    () => lb1.run("systemctl is-active haproxy"),
    ({ code }) => code !== 0,
    { seconds: 60, every: 20 },
  );
  await lb1.output("kill -TERM $(pgrep -o -f '^/bin/sh /opt/ha-cluster/patch.sh')");
  assert.notEqual((await run).code, 0);
  await until(
    "it serves again",
    () => lb1.patch(ROLE, "serves"),
    ({ code }) => code === 0,
    { seconds: 60 },
  );
  await serves(lb1);
});

test("a run that nobody listens to any more comes to its end", async () => {
  const before = await pids(lb1);
  // The pipe is closed after its first line.
  await lb1.run("rm -f /run/ha-cluster/patch-ended; /opt/ha-cluster/patch.sh load-balancer run never 2>&1 | head -n 1");
  await until(
    "its end",
    () => lb1.run("cat /run/ha-cluster/patch-ended"),
    ({ stdout }) => stdout === "0\n",
    { seconds: 90 },
  );
  assert.notEqual(await pids(lb1), before);
  await serves(lb1);
});
