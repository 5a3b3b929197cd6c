import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { localRepository } from "../../harness/packages";
import {
  assertDone,
  assertRefused,
  certificate,
  Client,
  files,
  secretsWith,
  untilMaster,
} from "./harness/load-balancers";
import type { Machine } from "./harness/machine";
import { Site } from "./harness/site";

let site: Site;
let client: Client;
let lb2: Machine;
/** As the image has them. */
let installed: Record<"haproxy" | "keepalived", string>;

before(async () => {
  site = Site.open();
  client = Client.on(site);
  lb2 = await site.boot("lb2", ["external", "internal"]);
  assertDone(await lb2.push("load-balancer", "secrets", secretsWith(await certificate(lb2, "www"))));
  assertDone(await lb2.push("load-balancer", "files", files.lb2));
  await untilMaster(lb2);
  await lb2.output(
    localRepository([
      { package: "haproxy", suffix: "" },
      { package: "haproxy", suffix: "+next" },
      { package: "haproxy", suffix: "+security" },
      { package: "haproxy", suffix: "+wrong", broken: true },
      { package: "keepalived", suffix: "" },
      { package: "keepalived", suffix: "+next" },
      { package: "keepalived", suffix: "+security" },
    ]),
  );
  installed = { haproxy: await version("haproxy"), keepalived: await version("keepalived") };
});
after(() => site.close());

function version(name: string): Promise<string> {
  return lb2.output(`dpkg-query -W -f='\${Version}' ${name}`);
}

function push(versions: Partial<typeof installed>): ReturnType<Machine["push"]> {
  const lines = Object.entries(versions).map(([name, wanted]) => `${name} ${wanted}\n`);
  const bundle = files.lb2.replace("==> end", `==> /etc/ha-cluster/packages 0644 root:root\n${lines.join("")}==> end`);
  return lb2.push("load-balancer", "files", bundle);
}

async function serves(): Promise<void> {
  await untilMaster(lb2);
  assert.notEqual(await client.get("http://203.0.113.48/"), "");
}

const pid = (name: string): Promise<string> => lb2.output(`systemctl show -p MainPID --value ${name}`);

test("the versions in the bundle are installed, and the daemons run them", async () => {
  const before = await pid("keepalived");
  const result = await push({ haproxy: `${installed.haproxy}+next`, keepalived: `${installed.keepalived}+next` });
  assertDone(result);
  assert.match(result.stdout, /haproxy: .* replaced by .*\+next/);
  assert.equal(await version("haproxy"), `${installed.haproxy}+next`);
  assert.equal(await version("keepalived"), `${installed.keepalived}+next`);
  assert.notEqual(await pid("keepalived"), before);
  for (const name of ["haproxy", "keepalived"]) {
    const link = `ls -l /proc/$(systemctl show -p MainPID --value ${name})/exe`;
    assert.doesNotMatch(await lb2.output(link), /deleted/, "the program is the one on the disk");
  }
  assert.equal(await lb2.output("test -e /usr/sbin/policy-rc.d && echo there || echo gone"), "gone");
  await serves();
});

test("a version whose daemon does not start is taken back", async () => {
  const result = await push({ haproxy: `${installed.haproxy}+wrong`, keepalived: `${installed.keepalived}+next` });
  assertRefused(result, /haproxy does not reload.*The previous files are back and applied/s);
  assert.equal(await version("haproxy"), `${installed.haproxy}+next`);
  assert.equal(await lb2.output("ls /var/lib/ha-cluster | grep -c packages || :"), "0", "nothing is left");
  await serves();
});

test("a version that the archive does not have is refused, and nothing is touched", async () => {
  const before = [await pid("haproxy"), await pid("keepalived")];
  assertRefused(await push({ haproxy: "0.1-1" }), /refused, nothing was touched.*cannot install haproxy=0\.1-1/s);
  assert.equal(await version("haproxy"), `${installed.haproxy}+next`);
  assert.deepEqual([await pid("haproxy"), await pid("keepalived")], before);
  await serves();
});

test("without the line, what is installed stays; an earlier version is a version like any other", async () => {
  assertDone(await lb2.push("load-balancer", "files", files.lb2));
  assert.equal(await version("haproxy"), `${installed.haproxy}+next`);
  assertDone(await push(installed));
  assert.equal(await version("haproxy"), installed.haproxy);
  assert.equal(await version("keepalived"), installed.keepalived);
  await serves();
});

/** Stops apt in the midst of haproxy's upgrade, for good. */
const FREEZE = `
while [ "$(dpkg-query -W -f='\${db:Status-Status}' haproxy)" = installed ]; do :; done
kill -STOP $(pgrep -x apt-get) $(pgrep -x dpkg)
dpkg-query -W -f='\${db:Status-Status}' haproxy`;

test("after a power cut in mid-upgrade the same push ends with the versions that it asks for", async () => {
  const wanted = { haproxy: `${installed.haproxy}+next`, keepalived: `${installed.keepalived}+next` };
  const cut = push(wanted);
  assert.notEqual(await lb2.output(FREEZE), "installed");
  lb2.powerOff();
  assert.notEqual((await cut).code, 0);
  await lb2.powerOn();

  assertDone(await push(wanted));
  assert.equal(await version("haproxy"), wanted.haproxy);
  assert.equal(await version("keepalived"), wanted.keepalived);
  assert.equal(
    await lb2.output("dpkg --audit; ls /usr/sbin/policy-rc.d /var/lib/ha-cluster/journal 2>/dev/null || :"),
    "",
  );
  await serves();
  assert.match((await push(wanted)).stdout, /nothing to change/);
});

for (const state of ["unpacked", "half-installed"]) {
  test(`a package that dpkg wants to be reinstalled, as after another power cut, is: ${state}`, async () => {
    const wanted = { haproxy: `${installed.haproxy}+next`, keepalived: `${installed.keepalived}+next` };
    await lb2.output(
      `perl -00 -pi -e 's/^Status: .*/Status: install reinstreq ${state}/m if /^Package: haproxy$/m' /var/lib/dpkg/status`,
    );
    assert.match(await lb2.output("dpkg --audit"), /reinstall/);
    assertDone(await push(wanted));
    assert.equal(await version("haproxy"), wanted.haproxy);
    assert.equal(await lb2.output("dpkg --audit"), "");
    await serves();
  });
}

/** Takes all versions that end so from the archive. */
function drop(suffix: string): Promise<string> {
  return lb2.output(`perl -00 -ni -e 'print unless /^Version: .*\\${suffix}$/m' /root/repository/Packages`);
}

/** What unattended-upgrades does: other versions than those that were pushed, which the archive drops. */
async function upgradeUnattended(suffix: string, dropped: string): Promise<void> {
  const wanted = `haproxy=${installed.haproxy}${suffix} keepalived=${installed.keepalived}${suffix}`;
  await drop(dropped);
  await lb2.output(`export DEBIAN_FRONTEND=noninteractive
    apt-get -q update && apt-get -q -y -o Dpkg::Options::=--force-confold install ${wanted}`);
  await serves();
}

async function assertUpgraded(): Promise<void> {
  assert.equal(await version("haproxy"), `${installed.haproxy}+security`);
  assert.equal(await version("keepalived"), `${installed.keepalived}+security`);
  assert.equal(await lb2.output("ls /var/lib/ha-cluster/journal 2>/dev/null || :"), "");
  await serves();
}

test("a certificate is renewed on a machine whose packages got a security fix since, and the fix stays", async () => {
  await upgradeUnattended("+security", "+next");
  const renewed = await certificate(lb2, "renewed");
  assertDone(await lb2.push("load-balancer", "secrets", secretsWith(renewed)));
  assert.equal(await lb2.output("cat /etc/haproxy/certs/www.pem"), renewed);
  await assertUpgraded();
});

test("the way back from a version that does not work leads to what was installed, not to what was pushed once", async () => {
  const wanted = { haproxy: `${installed.haproxy}+wrong`, keepalived: `${installed.keepalived}+security` };
  assertRefused(await push(wanted), /haproxy does not reload.*The previous files are back and applied/s);
  await assertUpgraded();
});

test("a certificate is renewed on a machine that lost a package, whose pushed version is gone as well", async () => {
  await drop("+wrong");
  await lb2.output("dpkg --remove haproxy >/dev/null 2>&1");
  assertDone(await lb2.push("load-balancer", "secrets", secretsWith(await certificate(lb2, "www"))));
  await assertUpgraded();
});
