import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { clientCommand } from "../../operate/lab/lab";
import { run, type Result } from "../../operate/exec";
import { until } from "../../operate/poll";
import type { Stack } from "../../operate/stack";
import { summaryOf } from "../../operate/traffic/summary";
import { Traffic } from "../../operate/traffic/traffic";
import { temporaryFolder } from "../support/folder";
import { assertOnlyCut } from "../support/moves";
import { killEngine } from "./engine";
import * as theirs from "./existing/hosts";
import { cli, type ExistingStack, NAME, openExisting } from "./existing/stack";
import { INTERNAL_VIP, lab } from "./support";

const { HOSTS, VIP } = theirs;
/** The plan's order: the last datacenter is changed first, and given back last. */
const [LAST, , FIRST] = HOSTS as [theirs.Host, theirs.Host, theirs.Host];
const NAMES = HOSTS.map(({ name }) => name);
const PER_SECOND = 10;

describe("hosts that somebody else built", () => {
  const folder = temporaryFolder();
  const caFile = join(folder.path, "ca.pem");
  const keyFile = join(folder.path, "key");
  let stack: ExistingStack;
  let traffic: Traffic;
  /** When the VIPs moved. */
  const moves = new Set<number>();
  let found: string[];
  let cloud: string;
  /** All that people saw of Pulumi. */
  let printed = "";

  before(async () => {
    writeFileSync(caFile, theirs.CERTIFICATE);
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", keyFile]);
    await theirs.makeHosts(`${keyFile}.pub`);
    stack = await openExisting(folder.path, keyFile);
    [found, cloud] = await Promise.all([theirs.footprints(), theirs.cloudPrint()]);
    traffic = Traffic.start(
      ["http", "https"].map((scheme) => ({
        ...{ url: `${scheme}://${VIP.ipv4}/`, contains: "lb", caFile, servername: theirs.SERVER_NAME },
      })),
      // Longer than TCP waits for a SYN that was lost twice: such a request is slow, and not failed.
      { perSecond: PER_SECOND, timeout: 5000, via: clientCommand },
    );
  });
  // The hosts' journals are small.
  afterEach(async () => {
    for (const moment of await theirs.moves()) moves.add(moment);
  });
  after(async () => {
    await traffic?.stop();
    await lab.empty();
    folder.remove();
  });

  async function pulumi(on: Stack, ...command: string[]): Promise<Result> {
    const args = [...command, "--stack", NAME, "--config-file", on.options.configFile!];
    const result = await on.pulumi(args, { echo: (text) => (printed += text) });
    return result;
  }

  async function must(on: Stack, ...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await pulumi(on, ...command);
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  }

  const up = ["up", "--yes", "--skip-preview"];
  const destroy = ["destroy", "--yes", "--skip-preview"];

  /** Runs a command of pulumi; in the moment that `when` is true on a host, kills the engine and `what` it runs there. */
  async function cut(on: Stack, command: string[], host: theirs.Host, when: string, what: string): Promise<void> {
    const signal = (name: string): string => `pkill -${name} -f /opt/ha-cluster/${what}`;
    const ended = pulumi(on, ...command);
    // Stopped first: what ends while the engine is alive is written to its state, where a kill is another matter.
    const watch = `until ${when}; do sleep 0.05; done; ${signal("STOP")}`;
    const { code, stderr } = await lab.sshWithInput(host.name, "timeout 60 sh", watch);
    assert.equal(code, 0, `nothing to cut: ${stderr}`);
    await killEngine(folder.path, NAME);
    assert.notEqual((await ended).code, 0);
    await lab.sshWithInput(host.name, "sh", signal("KILL"));
    await on.must(["cancel", "--yes", "--stack", NAME]);
  }

  test("preflight has nothing to say", async () => {
    const { code, stdout, stderr } = await cli("preflight", stack.ipv4, "--json");
    assert.deepEqual([code, stdout.trim()], [0, "[]"], stderr);
  });

  test("its --diff shows what the first push changes in the files of each, and leaves the hosts alone", async () => {
    const { code, stdout, stderr } = await cli("preflight", stack.ipv4, "--diff");
    printed += stdout + stderr;
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.match(/(?<=^### ).*/gm), NAMES.toReversed());
    for (const each of stdout.split(/^(?=### )/m)) {
      for (const line of [
        "--- /etc/keepalived/keepalived.conf (found)",
        "-     state EQUAL",
        "-        auth_pass ***",
        "+    state BACKUP",
        "--- /etc/haproxy/haproxy.cfg (found)",
        "--- /dev/null\n+++ /etc/ha-cluster/vips",
        "/etc/haproxy/haproxy.cfg (found): 644 haproxy:root, becomes 644 root:root",
        "/etc/haproxy/certs/www.pem (secret): takes the place of the one found",
        "/etc/keepalived/password.conf (secret): new",
      ]) {
        assert.ok(`\n${each}`.includes(`\n${line}\n`), `${line} is missing in:\n${each}`);
      }
    }
    assert.deepEqual(await theirs.footprints(), found);
  });

  test("a preview shows the files that adoption brings to each, and leaves the hosts alone", async () => {
    const shown = await must(stack.ipv4, "preview", "--diff", "--show-full-output");
    // What is created is one word to the engine, with its line ends escaped.
    const lines = shown.replaceAll("\\n", "\n").split("\n");
    for (const line of [
      "==> /etc/keepalived/keepalived.conf",
      `bind ${VIP.ipv4}:443 transparent ssl`,
      "state BACKUP",
    ]) {
      assert.equal(lines.filter((each) => each.includes(line)).length % HOSTS.length, 0, line);
      assert.ok(
        lines.some((each) => each.includes(line)),
        line,
      );
    }
    assert.deepEqual(await theirs.footprints(), found);
  });

  test("an adoption that is cut in the middle: the next up takes them over, and the second has nothing to do", async () => {
    await cut(stack.ipv4, up, FIRST, '[ "$(head -n 1 /var/lib/ha-cluster/journal 2>&1)" = files ]', "push.sh");
    const said = await must(stack.ipv4, ...up);
    assert.match(said, /an earlier push did not come to its end/);
    assert.match(said, /-\s+state EQUAL$/m);
    assert.match(said, /-\s+auth_pass \*\*\*$/m);
    assert.equal(said.match(/taken over: VG_1: (MASTER|BACKUP)/g)?.length, HOSTS.length);
    await must(stack.ipv4, ...up, "--expect-no-changes");
    await theirs.oneHolder(VIP.ipv4, INTERNAL_VIP);
  });

  test("a preview of the IPv6 rollout names the lines of each", async () => {
    const shown = await must(stack.ipv6, "preview", "--diff");
    const lines = shown.split("\n").filter((line) => /^\s*\+/.test(line));
    for (const [line, count] of [
      [`bind ${VIP.ipv6}:80 transparent`, HOSTS.length],
      [`bind ${VIP.ipv6}:443 transparent ssl crt /etc/haproxy/certs/www.pem`, HOSTS.length],
      ["vrrp_instance EXTERN6 {", HOSTS.length],
      [`${VIP.ipv6}/128 dev eth0`, HOSTS.length],
      ["iface eth0 inet6 static", HOSTS.length],
      ...HOSTS.map(({ external }) => [`address ${external.ipv6}/48`, 1] as const),
    ] as const) {
      assert.equal(lines.filter((each) => each.includes(line)).length, count, line);
    }
  });

  test("up: the VIP answers on IPv6, and one host holds both families", async () => {
    await must(stack.ipv6, ...up);
    await theirs.oneHolder(VIP.ipv4, VIP.ipv6, INTERNAL_VIP);
    const url = `https://${theirs.SERVER_NAME}/`;
    const secure = ["--cacert", caFile, "--resolve", `${theirs.SERVER_NAME}:443:[${VIP.ipv6}]`];
    for (const args of [
      ["--globoff", `http://[${VIP.ipv6}]/`],
      [...secure, url],
    ]) {
      const { stdout } = await lab.client("curl", "--silent", "--max-time", "5", ...args);
      assert.ok(NAMES.includes(stdout.trim()), `${args.join(" ")}: ${stdout}`);
    }
  });

  test("verify finds everything as deployed", async () => {
    const { stdout, stderr } = await cli("verify", stack.ipv6, "--json");
    assert.deepEqual((JSON.parse(stdout) as { findings: unknown[] }).findings, [], stderr);
  });

  test("a farewell that is cut in the middle: the next destroy leaves every host as it was found, and no trace", async () => {
    await cut(stack.ipv6, destroy, LAST, "grep -q EQUAL /etc/keepalived/keepalived.conf", "leave.sh");
    await must(stack.ipv6, ...destroy);
    await theirs.oneHolder(VIP.ipv4, INTERNAL_VIP);
    assert.deepEqual(await theirs.footprints(), found);
    assert.equal(await theirs.cloudPrint(), cloud);
  });

  test("a client that asked all the time over IPv4 has seen nothing of it but VIPs that moved", async (t) => {
    const seen = traffic.attempts.length;
    await until(
      "two seconds more",
      () => Promise.resolve(traffic.attempts.length),
      (sent) => sent > seen + 4 * PER_SECOND,
    );
    const attempts = await traffic.stop();
    const { sent, slowest, retransmitted } = summaryOf(attempts);
    t.diagnostic(
      `${sent} requests, slowest ${slowest} ms, ${retransmitted} over 900 ms, client at most ${Math.round(traffic.lag)} ms late`,
    );
    t.diagnostic(`reset while the VIP moved: ${assertOnlyCut(attempts, moves)}`);
  });

  test("no secret in what was printed", () => {
    assert.match(printed, /EXTERN6/);
    stack.secrets.forEach((word, index) => assert.ok(!printed.includes(word), `secret number ${index}`));
  });
});
