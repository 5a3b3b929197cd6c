import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Result, run } from "../../operate/exec";
import { until } from "../../operate/poll";
import type { Stack } from "../../operate/stack";
import type { Finding } from "../../verify/finding";
import { temporaryFolder } from "../support/folder";
import { cluster, lab, open, stackFile, verb, VIPS } from "./support";

type Shown = Omit<Finding, "repair"> & { repairable: boolean };

const ADDRESSES = cluster.addresses(["ipv4", "ipv6"]);

describe("`npm run verify`", () => {
  const folder = temporaryFolder();
  let stack: Stack;

  before(async () => {
    stack = await open(stackFile(), folder.path);
    await stack.up();
  });
  after(async () => {
    await stack.up(["--refresh"]);
    await verify("--repair");
    folder.remove();
  });

  const verify = (...options: string[]): Promise<Result> => verb("verify", stack, ...options);

  async function findings(): Promise<{ code: number; found: Shown[] }> {
    const { code, stdout, stderr } = await verify("--json");
    assert.notEqual(stdout, "", stderr);
    return { code, found: (JSON.parse(stdout) as { findings: Shown[] }).findings };
  }

  async function clean(): Promise<void> {
    await until(
      "a clean verify",
      () => findings(),
      ({ code, found }) => code === 0 && found.length === 0,
      { seconds: 90 },
    );
  }

  test("a cluster as it was built has no finding", clean);

  test("eighteen kinds of drift made by hand are found, each by its check, and mended by --repair", async (t) => {
    const master = await cluster.master(ADDRESSES);
    const [first, second] = cluster.loadBalancers.filter((name) => name !== master) as [string, string];
    const drifts: { kind: string; where: string; make: () => Promise<unknown>; check: string; what: RegExp }[] = [
      {
        kind: "a line edited in haproxy.cfg",
        where: first,
        make: () => lab.on(first, "sed -i 's/timeout connect 3s/timeout connect 4s/' /etc/haproxy/haproxy.cfg"),
        check: "files",
        what: /haproxy\.cfg/,
      },
      {
        kind: "another mode of keepalived.conf",
        where: first,
        make: () => lab.on(first, "chmod 0666 /etc/keepalived/keepalived.conf"),
        check: "files",
        what: /keepalived\.conf/,
      },
      {
        kind: "a file removed",
        where: second,
        make: () => lab.on(second, "rm /etc/sysctl.d/50-ha-cluster.conf"),
        check: "files",
        what: /50-ha-cluster\.conf/,
      },
      {
        kind: "haproxy stopped",
        where: second,
        make: () => lab.on(second, "systemctl stop haproxy"),
        check: "daemons",
        what: /haproxy/,
      },
      {
        kind: "keepalived disabled",
        where: second,
        make: () => lab.on(second, "systemctl disable keepalived"),
        check: "daemons",
        what: /keepalived/,
      },
      {
        kind: "nftables flushed",
        where: "test-db-dc1",
        make: () => lab.on("test-db-dc1", "nft flush ruleset"),
        check: "firewall",
        what: /nftables/,
      },
      {
        kind: "the relay's rules deleted",
        where: second,
        make: () => lab.on(second, "nft delete table inet ha_cluster_relay"),
        check: "firewall",
        what: /nftables/,
      },
      {
        kind: "an allowed address pair removed",
        where: "cloud",
        make: () => {
          const kept = [VIPS.www.ipv4, VIPS.api.ipv4, VIPS.api.ipv6];
          const pairs = kept.flatMap((pair) => ["--allowed-address", `ip-address=${pair}`]);
          return lab.openstackDo("port", "set", "--no-allowed-address", ...pairs, `${master}-external`);
        },
        check: "cloud",
        what: new RegExp(`Port ${master.replace("test-", "")}-external allowedAddressPairs`),
      },
      {
        kind: "a rule of a security group removed",
        where: "cloud",
        make: async () => {
          const rules = await lab.openstack<{ ID: string; "Port Range": string; Ethertype: string }[]>(
            ...["security", "group", "rule", "list", "test-lb-external", "--protocol", "tcp"],
          );
          await lab.openstackDo(
            "security",
            "group",
            "rule",
            "delete",
            rules.find((rule) => rule["Port Range"] === "443:443" && rule.Ethertype === "IPv6")!.ID,
          );
        },
        check: "cloud",
        what: /SecGroupRule lb-external-ipv6-tcp-443/,
      },
      {
        kind: "a rule added to a security group",
        where: "cloud",
        make: () =>
          lab.openstackDo(
            "security",
            "group",
            "rule",
            "create",
            "--protocol",
            "tcp",
            "--dst-port",
            "8404",
            "test-lb-external",
          ),
        check: "cloud",
        what: /rule of security group test-lb-external/,
      },
      {
        kind: "ip_nonlocal_bind set",
        where: master,
        make: () => lab.on(master, "sysctl -w net.ipv4.ip_nonlocal_bind=1"),
        check: "network",
        what: /ip_nonlocal_bind/,
      },
      {
        kind: "a VIP added by hand on a backup",
        where: first,
        make: () => lab.on(first, `ip addr add ${VIPS.www.ipv4}/32 dev eth0`),
        check: "vrrp",
        what: new RegExp(VIPS.www.ipv4.replaceAll(".", "\\.")),
      },
      {
        kind: "a certificate replaced on the disk",
        where: first,
        make: async () => {
          const [key, certificate] = [join(folder.path, "key.pem"), join(folder.path, "certificate.pem")];
          await run("openssl", [
            ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"],
            ...["-subj", "/CN=www.example.com", "-keyout", key, "-out", certificate],
          ]);
          const pem = readFileSync(certificate, "utf8") + readFileSync(key, "utf8");
          const { code } = await lab.sshWithInput(first, "cat >/etc/haproxy/certs/www.pem", pem);
          assert.equal(code, 0);
        },
        check: "files",
        what: /www\.pem/,
      },
      {
        kind: "a maintenance mark forgotten",
        where: second,
        make: () => lab.on(second, "touch /run/ha-cluster/maintenance"),
        check: "vrrp",
        what: /maintenance/,
      },
      {
        kind: "an application stopped",
        where: "test-app-dc3-1",
        make: () => lab.on("test-app-dc3-1", "systemctl stop app"),
        check: "daemons",
        what: /app\.service/,
      },
      {
        kind: "a database stopped",
        where: "test-db-dc3",
        make: () => lab.on("test-db-dc3", "systemctl stop mariadb"),
        check: "galera",
        what: /MariaDB/,
      },
      {
        kind: "a script edited",
        where: "test-app-dc2-1",
        make: () => lab.on("test-app-dc2-1", "echo '# by hand' >>/opt/ha-cluster/validate.sh"),
        check: "files",
        what: /validate\.sh/,
      },
      {
        kind: "haproxy runs on another file than is on the disk",
        where: master,
        make: async () => {
          const edit = (from: number, to: number): string =>
            `sed -i 's/timeout connect ${from}s/timeout connect ${to}s/' /etc/haproxy/haproxy.cfg`;
          const worker = (): Promise<string> =>
            lab.on(master, "/opt/ha-cluster/ask.sh unix /run/haproxy/admin.sock 'show info' | grep ^Pid:");
          const old = await worker();
          await lab.on(master, `${edit(3, 5)} && systemctl reload haproxy`);
          await until("a worker with the edited file", worker, (pid) => pid !== old);
          await lab.on(master, edit(5, 3));
        },
        check: "daemons",
        what: /haproxy/,
      },
    ];
    await Promise.all(drifts.map(({ make }) => make()));

    const { code, found } = await findings();
    assert.equal(code, 1);
    for (const { kind, where, check, what } of drifts) {
      const fits = found.filter((each) => each.check === check && each.where === where && what.test(each.what));
      assert.equal(fits.length > 0, true, `${kind} on ${where}, in ${JSON.stringify(found, undefined, 1)}`);
      t.diagnostic(`${kind}: ${where} ${fits[0]!.what}: ${fits[0]!.found}`);
    }
    const key = readFileSync(join(folder.path, "key.pem"), "utf8").split("\n")[1]!;
    assert.ok(!JSON.stringify(found).includes(key), "a secret file's content is never shown");

    const { code: left, stdout, stderr } = await verify("--repair");
    assert.equal(left, 0, stdout + stderr);
    await clean();
    const { code: same, stdout: preview } = await stack.preview(["--refresh", "--expect-no-changes"]);
    assert.equal(same, 0, preview);
    await cluster.master(ADDRESSES);
  });

  test("a machine that is off is a finding, and the others are looked at all the same", async () => {
    const lost = "test-app-dc1-1";
    await lab.power(lost, "off");
    try {
      const { code, found } = await findings();
      assert.equal(code, 1);
      assert.ok(found.some(({ check, where }) => check === "reachability" && where === lost));
      assert.ok(!found.some(({ check, where }) => check === "reachability" && where !== lost));
    } finally {
      await lab.power(lost, "on");
    }
    await clean();
  });

  test("a server in ERROR, an empty disk and a lost port are one finding each; --repair deletes no server unasked", async (t) => {
    const [failed, rebuilt, cut] = ["test-app-dc1-1", "test-app-dc2-1", "test-app-dc3-1"];
    const idOf = async (name: string): Promise<string> =>
      (await lab.openstack<{ id: string }>("server", "show", name)).id;
    const asAdmin = (...args: string[]): Promise<void> => lab.openstackDo("--os-cloud", "lab-admin", ...args);
    const [failedId, rebuiltId, cutId] = await Promise.all([failed, rebuilt, cut].map(idOf));
    const port = await lab.openstack<{ id: string }>("port", "show", `${cut}-internal`);
    await Promise.all([
      asAdmin("server", "set", "--auto-approve", "--state", "error", failedId!),
      lab.openstackDo("server", "rebuild", "--wait", rebuiltId!),
      asAdmin("port", "delete", port.id),
    ]);
    try {
      const { found } = await until(
        "the rebuilt server to be asked",
        findings,
        (answer) => answer.found.some(({ where, what }) => where === rebuilt && what === "disk"),
        { seconds: 60 },
      );
      const own = (name: string): Shown[] => found.filter(({ where }) => where === name);
      assert.deepEqual(
        own(failed).map(({ what, found: said }) => [what, said]),
        [["server", "in ERROR: the cloud says no more"]],
      );
      assert.equal(own(rebuilt).length, 1, JSON.stringify(own(rebuilt)));
      assert.deepEqual(
        own(cut).map(({ what, found: said }) => [what, said]),
        [[`port ${cut}-internal`, "gone"]],
      );
      assert.ok(!JSON.stringify(found).includes("Port app-dc3-1-internal"), "it is not said twice");

      const refused = await verify("--repair", "--json");
      assert.equal(refused.code, 1, refused.stderr);
      assert.match(refused.stderr, new RegExp(`repair: ${cut} is deleted, .*, and made anew`));
      assert.match(refused.stderr, new RegExp(`nothing touched: ${cut} would be deleted.*--replace-servers`));
      assert.equal(await idOf(cut), cutId);
    } finally {
      await asAdmin("server", "set", "--auto-approve", "--state", "active", failedId!);
    }
    const { code, stdout, stderr } = await verify("--repair", "--replace-servers");
    t.diagnostic(
      stderr
        .split("\n")
        .filter((line) => line.startsWith("repair:"))
        .join("; "),
    );
    assert.equal(code, 0, stdout + stderr);
    assert.notEqual(await idOf(cut), cutId);
    assert.equal(await idOf(rebuilt), rebuiltId);
    await clean();
  });

  test("a stack file that has moved on is told apart from drift, and keeps --repair from rolling it out", async () => {
    const moved = await open(stackFile().set("services.web.healthCheck", "/"), folder.path);
    try {
      await lab.on("test-app-dc1-1", "systemctl stop app");
      const { code, stdout, stderr } = await verify("--repair", "--json");
      assert.equal(code, 1);
      assert.match(stderr, /nothing repaired: the stack file or the program has moved on/);
      const { findings: found } = JSON.parse(stdout) as { findings: Shown[] };
      assert.ok(found.some(({ check, severity }) => check === "stack" && severity === "warning"));
      assert.ok(found.some(({ where, check }) => where === "test-app-dc1-1" && check === "daemons"));
    } finally {
      await lab.on("test-app-dc1-1", "systemctl start app");
      stack = await open(stackFile(), folder.path);
    }
    assert.equal(moved.options.configFile, stack.options.configFile);
    await clean();
  });
});
