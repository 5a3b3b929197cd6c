import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync, spawnSync } from "node:child_process";
import { renderVrrpPassword } from "../../render/keepalived";
import { findImage } from "../node/harness/image";
import { readScripts } from "../node/harness/bundles";
import { type Folder, temporaryFolder } from "../support/folder";
import { type GoldenCase, goldenCases } from "./cases";

/** The daemons' own checks, with what makes each of them refuse a file. */
const JUDGES: {
  role: GoldenCase["role"];
  path: string;
  command: string;
  spoil: (text: string) => string;
}[] = [
  {
    role: "load-balancer",
    path: "/etc/keepalived/keepalived.conf",
    command: "keepalived --config-test",
    spoil: (text) => text.replace(/virtual_router_id \d+/, "virtual_router_id 256"),
  },
  {
    role: "load-balancer",
    path: "/etc/haproxy/haproxy.cfg",
    command: "haproxy -c -dW -f /etc/haproxy/haproxy.cfg",
    spoil: (text) => text.replace("default_backend", "defualt_backend"),
  },
  {
    role: "load-balancer",
    path: "/etc/nftables.conf",
    command: "nft --check --file /etc/nftables.conf",
    spoil: (text) => text.replace("policy drop", "policy dorp"),
  },
  {
    role: "load-balancer",
    path: "/etc/ha-cluster/relay.nft",
    command: "nft --check --file /etc/ha-cluster/relay.nft",
    spoil: (text) => text.replace("dup to", "dupe to"),
  },
  {
    role: "load-balancer",
    path: "/etc/network/interfaces",
    command: "ifup --no-act --all --force",
    spoil: (text) => text.replace(/^ {4}address .*$/m, ""),
  },
  {
    role: "database",
    path: "/etc/mysql/mariadb.conf.d/60-ha-cluster.cnf",
    command: "mariadbd --user=mysql --verbose --help",
    spoil: (text) => text.replace("binlog_format = ROW", "binlog_format = ROWS"),
  },
  {
    role: "database",
    path: "/etc/systemd/system/galera-status.socket",
    command: "systemd-analyze verify --man=no galera-status.socket",
    spoil: (text) => text.replace("Accept=yes", "Accept=perhaps"),
  },
  {
    role: "app-server",
    path: "/etc/systemd/system/app.service",
    command: "systemd-analyze verify --man=no app.service",
    spoil: (text) => text.replace("Type=notify", "Type=notified"),
  },
];

describe("golden files, judged by the daemons of the image", () => {
  // Other releases than the image's are compared as texts alone.
  for (const golden of goldenCases().filter(({ release }) => release === "debian-12")) {
    describe(golden.name, () => {
      const folder = temporaryFolder();
      const root = join(folder.path, "root");
      before(() => prepare(golden, folder, root));
      after(() => {
        execFileSync("umount", [root]);
        folder.remove();
      });

      const has = (path: string): boolean => golden.files.some((file) => file.path === path);
      for (const judge of JUDGES.filter(({ role, path }) => role === golden.role && has(path))) {
        const { text } = golden.files.find(({ path }) => path === judge.path)!;

        test(`${judge.path} is accepted`, () => {
          const { status, said } = ask(root, judge.command);
          assert.equal(status, 0, said);
          assert.doesNotMatch(said, /unknown|invalid|deprecated/i);
        });

        test(`${judge.path} is refused when it is spoilt`, () => {
          const spoilt = judge.spoil(text);
          assert.notEqual(spoilt, text);
          write(root, judge.path, spoilt);
          try {
            const { status, said } = ask(root, judge.command);
            assert.ok(status !== 0 || /Failed to parse|Unknown|unrecognized/i.test(said), said);
          } finally {
            write(root, judge.path, text);
          }
        });
      }
    });
  }
});

/** A copy of the image with the golden files and what they refer to. */
function prepare(golden: GoldenCase, folder: Folder, root: string): void {
  const [upper, work] = [join(folder.path, "upper"), join(folder.path, "work")];
  for (const path of [root, upper, work]) mkdirSync(path);
  const layers = `lowerdir=${findImage()},upperdir=${upper},workdir=${work}`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, root]);
  for (const [name, text] of Object.entries(readScripts())) write(root, `/opt/ha-cluster/${name}`, text, 0o755);
  write(root, "/etc/keepalived/password.conf", renderVrrpPassword("password"), 0o600);
  write(root, "/etc/haproxy/certs/www.pem", selfSigned(folder), 0o600);
  for (const { path, text } of golden.files) write(root, path, text);
}

function selfSigned(folder: Folder): string {
  const pem = join(folder.path, "pem");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", pem];
  const options: ExecFileSyncOptionsWithStringEncoding = { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" };
  const certificate = execFileSync("openssl", ["req", "-x509", ...key, "-subj", "/CN=www.example.com"], options);
  return certificate + execFileSync("cat", [pem], options);
}

/** Runs a check in the copy, in a network of its own that has the interfaces the files name. */
function ask(root: string, command: string): { status: number | null; said: string } {
  const links = [
    ["eth0", "eth1"],
    ["ens3", "ens4"],
    ["ha-relay", "other"],
  ].map(([one, other]) => `ip link add ${one} type veth peer name ${other}`);
  const script = [...links, `exec chroot ${root} ${command}`].join("\n");
  const { status, stdout, stderr } = spawnSync("unshare", ["--net", "sh", "-ec", script], { encoding: "utf8" });
  return { status, said: command.startsWith("mariadbd") ? stderr : stdout + stderr };
}

function write(root: string, path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text, { mode });
}
