import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { ROOT } from "../../operate/lab/places";
import { until } from "../../operate/poll";
import { ROWS } from "../../plan/releases";
import type { Daemon } from "./releases/daemon";
import { type Reader, READERS, readerRoots } from "./releases/roots";
import { Tree } from "./releases/tree";

const NODE = join(ROOT, "node");

/** Keeps every connection waiting for a request, so that a worker that has one does not end. */
const HAPROXY = `global
    stats socket /run/haproxy/admin.sock mode 600 level admin expose-fd listeners
defaults
    mode tcp
    timeout client 10m
    timeout server 10m
    timeout connect 1s
frontend web
    bind unix@/run/held.sock
    tcp-request inspect-delay 10m
    tcp-request content accept if { req.len gt 1000 }
`;

describe("a reload is seen by the functions of node/roles, in each release's daemon", () => {
  let roots: Record<Reader, string>;
  before(async () => {
    roots = await readerRoots();
  });

  for (const release of READERS) {
    describe(release, () => {
      let tree: Tree;
      before(() => {
        tree = new Tree(roots[release]);
        mkdirSync(tree.locate("/run/haproxy"), { recursive: true });
        mkdirSync(tree.locate("/incoming"));
      });
      after(() => tree.remove());

      test("haproxy", async (context) => {
        tree.write("/etc/haproxy/haproxy.cfg", HAPROXY);
        tree.write("/here/ask.sh", readFileSync(join(NODE, "push", "ask.sh"), "utf8"), 0o755);
        const daemon = tree.start("haproxy -W -S /run/haproxy-master.sock -f /etc/haproxy/haproxy.cfg");
        try {
          await haproxyReloads(tree, daemon, context);
        } catch (error) {
          throw new Error(`haproxy said:\n${daemon.said}`, { cause: error });
        } finally {
          await daemon.end();
        }
      });

      test("keepalived", async () => {
        tree.write("/etc/keepalived/keepalived.conf", instance("198.51.100.200/32"));
        const daemon = tree.start(
          "keepalived --dont-fork --log-console --vrrp --use-file=/etc/keepalived/keepalived.conf",
          "ip link add eth0 type veth peer name other",
          "ip addr add 198.51.100.193/26 dev eth0",
          "ip link set other up",
          "ip link set eth0 up",
        );
        try {
          await keepalivedReloads(tree, daemon, ROWS[release].keepalived.reloadReport);
        } catch (error) {
          throw new Error(`keepalived said:\n${daemon.said}`, { cause: error });
        } finally {
          await daemon.end();
        }
      });
    });
  }
});

async function haproxyReloads(tree: Tree, daemon: Daemon, context: TestContext): Promise<void> {
  const ask = (call: string): Answer => haproxyAsk(tree, call);
  const first = await until(
    "the first worker",
    () => Promise.resolve(ask("haproxy_worker").said),
    (pid) => pid !== "",
  );
  assert.equal(ask("haproxy_master | newest_worker").said, first);
  assert.equal(ask("haproxy_master | master_reloads").said, "0");
  assert.equal(ask("haproxy_reloaded 0").status, 1);

  const held = connect(tree.locate("/run/held.sock"));
  context.after(() => held.destroy());
  await once(held, "connect");
  let last = first;
  for (const reloads of [0, 1]) {
    daemon.signal("SIGUSR2");
    assert.equal(ask(`wait_for 20 haproxy_reloaded ${reloads}`).status, 0);
    assert.equal(ask("haproxy_master | master_reloads").said, String(reloads + 1));
    const newest = ask("haproxy_master | newest_worker").said;
    assert.notEqual(newest, last);
    // The one before accepts on the socket that it handed over until the master ends it.
    await until(
      "the newest worker alone to answer",
      () => Promise.resolve(ask("haproxy_worker").said),
      (pid) => pid === newest,
    );
    // The first one goes on with the connection that it has.
    assert.match(ask("haproxy_master").said, new RegExp(`# old workers\\n(.*\\n)*${first} `));
    last = newest;
  }

  tree.write("/etc/haproxy/haproxy.cfg", `${HAPROXY}    nonsense\n`);
  daemon.signal("SIGUSR2");
  await until(
    "the failed reload to count",
    () => Promise.resolve(ask("haproxy_master | master_reloads").said),
    (count) => count === "3",
  );
  assert.notEqual(ask("haproxy_reloaded 2").status, 0);
  assert.equal(ask("haproxy_worker").said, last);

  tree.write("/etc/haproxy/haproxy.cfg", HAPROXY);
  daemon.signal("SIGUSR2");
  assert.equal(ask("wait_for 20 haproxy_reloaded 3").status, 0);
}

/** Once the new address is there, the new file has been read. */
async function keepalivedReloads(tree: Tree, daemon: Daemon, reported: boolean): Promise<void> {
  const has = (address: string): Promise<unknown> =>
    until(
      `the address ${address}`,
      () => Promise.resolve(daemon.ask("ip -o addr show dev eth0")),
      (text) => text.includes(` ${address} `),
    );
  await has("198.51.100.200/32");
  const before = daemon.said.length;
  tree.write("/etc/keepalived/keepalived.conf", instance("198.51.100.201/32"));
  daemon.signal("SIGHUP");
  await has("198.51.100.201/32");
  const told = (): number => keepalivedAsk(daemon.said.slice(before));
  if (reported)
    await until(
      "keepalived to say so",
      () => Promise.resolve(told()),
      (status) => status === 0,
    );
  else assert.equal(told(), 1);
}

interface Answer {
  status: number | null;
  said: string;
}

/** Calls functions of node/ as push.sh does, but for where the copy is. */
function haproxyAsk(tree: Tree, call: string): Answer {
  const places = {
    HAPROXY_MASTER: tree.locate("/run/haproxy-master.sock"),
    HAPROXY_STATS: tree.locate("/run/haproxy/admin.sock"),
    INCOMING: tree.locate("/incoming"),
    HERE: tree.locate("/here"),
  };
  const set = Object.entries(places).map(([name, value]) => `${name}=${value}`);
  return shell([sourced("push/common.sh"), sourced("roles/haproxy.sh"), ...set, call]);
}

/** Whether node/ takes these words of the journal for the end of a reload: 0 or 1. */
function keepalivedAsk(words: string): number {
  const { status } = shell(
    ["RUN=/run/ha-cluster", sourced("roles/keepalived.sh"), "journal_after() { cat; }", "keepalived_reloaded any"],
    words,
  );
  return status!;
}

function sourced(path: string): string {
  return `. ${join(NODE, path)}`;
}

function shell(lines: readonly string[], input = ""): Answer {
  const { status, stdout, stderr } = spawnSync("sh", ["-ec", lines.join("\n")], { encoding: "utf8", input });
  assert.equal(stderr, "");
  return { status, said: stdout.trim() };
}

function instance(address: string): string {
  return `vrrp_instance A {
    interface eth0
    virtual_router_id 5
    priority 100
    version 3
    advert_int 0.1
    virtual_ipaddress {
        ${address} dev eth0
    }
}
`;
}
