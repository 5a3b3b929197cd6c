import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from "node:child_process";
import { renderVrrpPassword } from "../../render/keepalived";
import { readScripts } from "../node/harness/bundles";
import { type GoldenCase, goldenCases } from "./cases";
import { isReader, type Reader, readerRoots } from "./releases/roots";
import { Tree } from "./releases/tree";

/** The daemons' own checks, with what makes each of them refuse a file. */
const JUDGES: {
  role: GoldenCase["role"];
  path: string;
  command: string;
  /** Only silence is consent: the exit code lies, and is 0 whatever is read on Debian 11. */
  silent?: true;
  spoil: (text: string) => string;
}[] = [
  {
    role: "load-balancer",
    path: "/etc/keepalived/keepalived.conf",
    command: "keepalived --config-test",
    silent: true,
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
    role: "load-balancer",
    path: "/etc/network/interfaces.d/ha-cluster",
    command: "ifup --no-act --force --interfaces=/etc/network/interfaces.d/ha-cluster eth0",
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
  {
    role: "app-server",
    path: "/etc/systemd/system/app-release.socket",
    command: "systemd-analyze verify --man=no app-release.socket",
    spoil: (text) => text.replace("Accept=yes", "Accept=perhaps"),
  },
];

describe("golden files, judged by the daemons of their release", () => {
  let roots: Record<Reader, string>;
  before(async () => {
    roots = await readerRoots();
  });

  // Ubuntu's are compared as texts alone.
  for (const golden of goldenCases()) {
    const { name, role, release, files } = golden;
    if (!isReader(release)) continue;
    describe(name, () => {
      let tree: Tree;
      before(() => (tree = plant(golden, roots[release])));
      after(() => tree.remove());

      const has = (path: string): boolean => files.some((file) => file.path === path);
      for (const judge of JUDGES.filter((each) => each.role === role && has(each.path))) {
        const { text } = files.find(({ path }) => path === judge.path)!;

        test(`${judge.path} is accepted`, () => {
          const { status, said } = tree.ask(judge.command);
          assert.equal(status, 0, said);
          if (judge.silent) assert.equal(said, "");
          assert.doesNotMatch(said, /unknown|invalid|deprecated/i);
        });

        test(`${judge.path} is refused when it is spoilt`, () => {
          const spoilt = judge.spoil(text);
          assert.notEqual(spoilt, text);
          tree.write(judge.path, spoilt);
          try {
            const { status, said } = tree.ask(judge.command);
            assert.ok(
              status !== 0 || (judge.silent ? said !== "" : /Failed to parse|Unknown|unrecognized/i.test(said)),
              said,
            );
          } finally {
            tree.write(judge.path, text);
          }
        });
      }
    });
  }
});

/** A copy of the release's root with the golden files and what they refer to. */
function plant(golden: GoldenCase, lower: string): Tree {
  const tree = new Tree(lower);
  for (const [name, text] of Object.entries(readScripts())) tree.write(`/opt/ha-cluster/${name}`, text, 0o755);
  tree.write("/etc/keepalived/password.conf", renderVrrpPassword("password"), 0o600);
  tree.write("/etc/haproxy/certs/www.pem", selfSigned(), 0o600);
  tree.write("/var/lib/ha-cluster/haproxy-servers", "1\n");
  for (const { path, text } of golden.files) tree.write(path, text);
  return tree;
}

function selfSigned(): string {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "-"];
  const options: ExecFileSyncOptionsWithStringEncoding = { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" };
  return execFileSync("openssl", ["req", "-x509", ...key, "-subj", "/CN=www.example.com"], options);
}
