import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ROOT } from "../../operate/lab/places";
import type { Machine } from "./harness/machine";
import { Site } from "./harness/site";

const SCRIPT = readFileSync(join(ROOT, "node", "login", "login.sh"), "utf8");
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f cluster";
const OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA somebody";

describe("who may log in", () => {
  let site: Site;
  let machine: Machine;

  before(async () => {
    site = Site.open();
    machine = await site.boot("app1", ["internal"]);
  });
  after(() => site.close());

  const letIn = (user: string) => machine.run(`sh -s -- ${user} '${KEY}'`, SCRIPT);
  const keysOf = (user: string) => machine.output(`cat $(getent passwd ${user} | cut -d : -f 6)/.ssh/authorized_keys`);

  /** All that a login asks for; sshd itself is asked on the embedded cloud. */
  async function mayLogIn(user: string): Promise<void> {
    assert.ok((await keysOf(user)).split("\n").includes(KEY));
    assert.equal(await machine.output(`runuser -u ${user} -- sudo -n id -u`), "0");
    const home = await machine.output(`getent passwd ${user} | cut -d : -f 6`);
    const modes = await machine.output(`stat -c '%a %U' ${home}/.ssh ${home}/.ssh/authorized_keys`);
    assert.equal(modes, `700 ${user}\n600 ${user}`);
  }

  test("a user that is not there yet, whose name a group has", async () => {
    await machine.output("groupadd ops");
    const first = await letIn("ops");
    assert.equal(first.code, 0, first.text);
    assert.equal(first.stdout, "ops: made, without a password\nops: may use sudo\nops: has the key\n");
    await mayLogIn("ops");
    assert.match(await machine.output("getent shadow ops"), /^ops:!/);
    assert.equal(await machine.output("stat -c '%a %U' /etc/sudoers.d/ha-cluster-ops"), "440 root");
    assert.equal(await machine.output("visudo -c >/dev/null && echo sound"), "sound");
  });

  test("the same again changes nothing", async () => {
    const again = await letIn("ops");
    assert.deepEqual([again.code, again.stdout], [0, ""]);
  });

  test("somebody who is there keeps shell, home and other keys", async () => {
    await machine.output(`useradd -m -d /srv/jd -s /bin/sh jd && install -d -m 0700 -o jd -g jd /srv/jd/.ssh &&
      echo '${OTHER}' >/srv/jd/.ssh/authorized_keys && chown jd: /srv/jd/.ssh/authorized_keys`);
    const { code, text } = await letIn("jd");
    assert.equal(code, 0, text);
    await mayLogIn("jd");
    assert.equal(await keysOf("jd"), `${OTHER}\n${KEY}`);
    assert.match(await machine.output("getent passwd jd"), /:\/srv\/jd:\/bin\/sh$/);
  });

  test("root, whose key cloud-init had made a refusal", async () => {
    await machine.output(`install -d -m 0700 /root/.ssh
      echo 'no-port-forwarding,command="echo Please login as debian" ${KEY}' >/root/.ssh/authorized_keys`);
    const { code, text } = await letIn("root");
    assert.equal(code, 0, text);
    assert.equal(await keysOf("root"), KEY);
    assert.equal(await machine.output("ls /etc/sudoers.d | grep -c root || :"), "0");
  });

  test("a service's user is refused, and stays as it is", async () => {
    const { code, stderr } = await letIn("www-data");
    assert.equal(code, 1);
    assert.match(stderr, /www-data is there already, and may not log in \(its shell is \/usr\/sbin\/nologin\)/);
    assert.equal(await machine.output("test -e /etc/sudoers.d/ha-cluster-www-data && echo there || echo none"), "none");
  });

  test("a rule that another one overrules is told", async () => {
    await machine.output(
      "echo 'held ALL=(ALL) PASSWD:ALL' >/etc/sudoers.d/zz-held && chmod 0440 /etc/sudoers.d/zz-held",
    );
    const { code, stderr } = await letIn("held");
    assert.equal(code, 1);
    assert.match(stderr, /held can't be root by sudo -n: see \/etc\/sudoers and \/etc\/sudoers\.d/);
  });
});
