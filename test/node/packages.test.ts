import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../../operate/poll";
import { assertDone, certificate, files, footprint, secretsWith } from "./harness/load-balancers";
import type { Machine } from "./harness/machine";
import { Site } from "./harness/site";

let site: Site;
let machine: Machine;

before(async () => {
  site = Site.open();
  machine = await site.boot("lb2", ["external", "internal"]);
  await machine.output(REPACK);
});
after(() => site.close());

/**
 * Makes the machine one without haproxy, whose apt has a repository with nothing but haproxy: built anew from what was
 * installed, with Debian's own maintainer scripts, which start the daemon unless policy-rc.d forbids it.
 */
const REPACK = `set -eu
mkdir -p /root/build/DEBIAN /root/repository
cd /root/build
dpkg-query -L haproxy | while read -r path; do
    if [ -f "$path" ]; then cp -a --parents "$path" .; fi
done
for script in preinst postinst prerm postrm conffiles; do
    if [ -e "/var/lib/dpkg/info/haproxy.$script" ]; then cp "/var/lib/dpkg/info/haproxy.$script" "DEBIAN/$script"; fi
done
dpkg-query -s haproxy | sed '/^Status:/d; /^Conffiles:/,/^[A-Z]/ { /^Conffiles:/d; /^ /d; }' >DEBIAN/control
cd /root/repository
dpkg-deb -Znone -b /root/build haproxy.deb >/dev/null
{
    cat /root/build/DEBIAN/control
    echo "Filename: ./haproxy.deb"
    echo "Size: $(stat -c %s haproxy.deb)"
    echo "SHA256: $(sha256sum haproxy.deb | cut -d ' ' -f 1)"
} >Packages
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
chmod 755 /root
echo 'deb [trusted=yes] file:/root/repository ./' >/etc/apt/sources.list
dpkg --purge haproxy >/dev/null 2>&1
rm -rf /etc/haproxy
! command -v haproxy >/dev/null
`;

test("a missing package is installed, and its daemon does not start with the package's own file", async () => {
  const result = await machine.push("load-balancer", "secrets", secretsWith(await certificate(machine, "www")));
  assertDone(result);
  assert.match(result.stdout, /installed haproxy \(/);
  assert.equal(await machine.output("journalctl -q -o cat -u haproxy | grep -c Started || :"), "0");
  assert.equal(await machine.output("test -e /usr/sbin/policy-rc.d && echo there || echo gone"), "gone");

  assertDone(await machine.push("load-balancer", "files", files.lb2));
  assert.match(await footprint(machine), /haproxy\.cfg/);
});

/** Holds a lock as apt and dpkg do, which is not flock(1)'s; returns what lets go of it. */
async function hold(lock: string): Promise<() => Promise<string>> {
  const unit = `holder-of-${lock.replaceAll("/", "-")}`;
  const program = `import fcntl, signal
lock = open("${lock}", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", flush=True)
signal.pause()`;
  await machine.output(`systemd-run -q --unit=${unit} python3 -c '${program}'`);
  await until(
    `${lock} is held`,
    () => machine.output(`journalctl -q -o cat -u ${unit}`),
    (words) => words.includes("held"),
  );
  return () => machine.output(`systemctl stop ${unit}`);
}

test("a push waits while others hold the locks of apt and dpkg, and says so", async () => {
  const locks = [
    { path: "/var/lib/apt/lists/lock", words: /Could not get lock \/var\/lib\/apt\/lists\/lock/ },
    { path: "/var/lib/dpkg/lock-frontend", words: /dpkg frontend lock/ },
  ];
  await machine.output("dpkg --remove haproxy >/dev/null 2>&1");
  const held = await Promise.all(locks.map(async ({ path, words }) => ({ words, release: await hold(path) })));
  let ended = false;
  const pushing = machine.push("load-balancer", "files", files.lb2).finally(() => (ended = true));
  for (const { words, release } of held) {
    await until(
      `the push meets ${String(words)}`,
      async () => ended || words.test((await machine.run("cat /var/lib/ha-cluster/apt.log")).stdout),
      Boolean,
    );
    await release();
  }
  const result = await pushing;
  assertDone(result);
  assert.match(result.stdout, /installed haproxy \(/);
  assert.equal(result.stdout.match(/waiting .* lock/g)?.length, locks.length, result.stdout);
  assert.equal(await machine.output("systemctl is-active haproxy"), "active");
});

test("a package that apt cannot get is a refusal in apt's words, and somebody else's policy-rc.d stays", async () => {
  await machine.output(
    "dpkg --purge --force-depends nftables >/dev/null 2>&1; printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d",
  );
  const result = await machine.push("load-balancer", "files", files.lb2.replaceAll("lb2", "lb9"));
  assert.notEqual(result.code, 0);
  assert.match(result.stderr, /Unable to locate package nftables|no installation candidate/);
  assert.match(result.stderr, /mend apt on this machine/);
  assert.equal(
    await machine.output("cat /usr/sbin/policy-rc.d; grep -c lb9 /etc/haproxy/haproxy.cfg || :"),
    "#!/bin/sh\nexit 101\n0",
  );
});
