import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type HaproxyRelease, type KeepalivedRelease, ROWS } from "../../plan/releases";
import { type Answer, Tree } from "./releases/tree";
import { type Reader, READERS, readerRoots } from "./releases/roots";

/** What shows whether a release has a capability: its daemon takes the text without a word. */
type Probes<Row> = { [Name in Exclude<keyof Row, "version">]: (tree: Tree) => boolean };

/** `reloadReport` is for reloads.test.ts to see. */
const KEEPALIVED: Probes<Omit<KeepalivedRelease, "reloadReport">> = {
  configTest: (tree) => keepalived(tree, ""),
  scriptSecurity: (tree) => keepalived(tree, globals("script_user root", "enable_script_security")),
  garpRefresh: (tree) => keepalived(tree, globals("vrrp_garp_master_refresh 1")),
  groupTracking: (tree) => keepalived(tree, trackingGroup()),
  nativeIpv6: (tree) => !keepalived(tree, instance("2001:db8::3/128 dev eth0")),
  linkLocalFirst: (tree) => !keepalived(tree, instance("2001:db8::3/128 dev eth0")),
};

const HAPROXY: Probes<HaproxyRelease> = {
  // A frontend without timeouts is worth a warning to every release.
  strictCheck: (tree) => haproxy(tree, frontend(), "").status === 0 && haproxy(tree, frontend()).status !== 0,
  masterSocket: (tree) => tree.read("/usr/lib/systemd/system/haproxy.service").includes("-S /run/haproxy-master.sock"),
  exposeListeners: (tree) => takes(tree, global("stats socket /run/admin.sock expose-fd listeners")),
  hardStopAfter: (tree) => takes(tree, global("hard-stop-after 10m")),
  fdHardLimit: (tree) => takes(tree, global("fd-hard-limit 50000")),
  modernTls: (tree) => takes(tree, global("ssl-default-bind-options ssl-min-ver TLSv1.2")),
  prometheus: (tree) => takes(tree, frontend("http-request use-service prometheus-exporter")),
  httpReturn: (tree) => takes(tree, frontend("http-request return status 404")),
  idleClose: (tree) => takes(tree, frontend("option idle-close-on-response")),
};

/** Words by whose reading each release's daemons are told from the others': nobody else's stand in for them. */
const SINCE: { what: string; releases: Reader[]; taken: (tree: Tree) => boolean }[] = [
  {
    what: "keepalived's data_use_instance",
    releases: ["debian-12", "debian-13"],
    taken: (tree) => keepalived(tree, globals("data_use_instance")),
  },
  {
    what: "keepalived's state_dump_file",
    releases: ["debian-13"],
    taken: (tree) => keepalived(tree, globals("state_dump_file /tmp/state")),
  },
  {
    what: "haproxy's crt-store",
    releases: ["debian-13"],
    taken: (tree) => takes(tree, `crt-store web\n${frontend()}`),
  },
  { what: "haproxy's traces (from 3.1)", releases: [], taken: (tree) => takes(tree, `traces\n${frontend()}`) },
];

describe("the table of releases, as their daemons have it", () => {
  let roots: Record<Reader, string>;
  before(async () => {
    roots = await readerRoots();
  });

  for (const release of READERS) {
    describe(release, () => {
      let tree: Tree;
      before(() => (tree = new Tree(roots[release])));
      after(() => tree.remove());
      const row = ROWS[release];

      test("versions", () => {
        assert.ok(tree.ask("keepalived --version").said.startsWith(`Keepalived v${row.keepalived.version} `));
        assert.ok(tree.ask("haproxy -v").said.includes(`roxy version ${row.haproxy.version}-`));
      });

      for (const name of keys(KEEPALIVED)) {
        test(`keepalived: ${name}`, () => assert.equal(KEEPALIVED[name](tree), row.keepalived[name]));
      }
      for (const name of keys(HAPROXY)) {
        test(`haproxy: ${name}`, () => assert.equal(HAPROXY[name](tree), row.haproxy[name]));
      }
      for (const { what, releases, taken } of SINCE) {
        test(`${what} is ${releases.includes(release) ? "read" : "refused"}`, () => {
          assert.equal(taken(tree), releases.includes(release));
        });
      }
    });
  }
});

function keys<Row extends object>(row: Row): (keyof Row)[] {
  return Object.keys(row) as (keyof Row)[];
}

function keepalived(tree: Tree, text: string): boolean {
  tree.write("/tmp/keepalived.conf", text);
  tree.write("/tmp/check.sh", "#!/bin/sh\n", 0o755);
  const { status, said } = tree.ask("keepalived --config-test --use-file=/tmp/keepalived.conf");
  return status === 0 && said === "";
}

function haproxy(tree: Tree, text: string, strictly = "-dW"): Answer {
  tree.write("/tmp/haproxy.cfg", text);
  return tree.ask(`haproxy -c ${strictly} -f /tmp/haproxy.cfg`);
}

function takes(tree: Tree, text: string): boolean {
  const timeouts = "defaults\n    mode http\n    timeout client 1s\n    timeout connect 1s\n    timeout server 1s\n";
  return haproxy(tree, `${timeouts}${text}`).status === 0;
}

function globals(...lines: string[]): string {
  return `global_defs {\n${lines.join("\n")}\n}\n`;
}

/** An IPv6 instance as ours are. */
function instance(address: string): string {
  return `vrrp_instance A {
    interface eth0
    virtual_router_id 5
    priority 100
    version 3
    unicast_src_ip 2001:db8::1
    unicast_peer {
        2001:db8::2
    }
    virtual_ipaddress {
        ${address}
    }
}
`;
}

function trackingGroup(): string {
  return `${globals("script_user root", "enable_script_security")}vrrp_script check {
    script "/tmp/check.sh"
    weight -10
}
vrrp_sync_group G {
    group {
        A
        B
    }
    track_script {
        check
    }
}
${instance("2001:db8::3/128 dev eth0")}${instance("2001:db8::4/128 dev eth0").replace("instance A", "instance B").replace("id 5", "id 6")}`;
}

function global(line: string): string {
  return `global\n    ${line}\n${frontend()}`;
}

function frontend(line = ""): string {
  return `frontend web\n    mode http\n    bind 127.0.0.1:8404\n    ${line}\n`;
}
