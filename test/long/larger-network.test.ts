import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { fromClient } from "../../harness/http";
import type { StackFile } from "../../harness/stackFile";
import { temporaryFolder } from "../support/folder";
import { servers } from "../lab/standing";
import { cluster, INTERNAL_VIP, lab, open, stackFile, verb, VIPS } from "../lab/support";
import { unnoticed } from "../lab/unnoticed";

const OLD = "198.51.100.128/25";
const LARGER = "198.51.100.0/24";
const ADDED = "198.51.100.0/25";
const PORT = 8082;

/** One of three servers that have its place in what is new of the network. */
const NEW = { name: "test-more-dc1-1", address: "198.51.100.25" };

const grown = (): StackFile => stackFile().set("internal", { cidr: LARGER, vip: INTERNAL_VIP });
const used = (file: StackFile): StackFile => file.set("appServers.more", { perDatacenter: 1, slots: [5] });

describe("a larger internal network", () => {
  const folder = temporaryFolder();
  const everybody = [...cluster.loadBalancers, ...cluster.databases, ...cluster.appServers];
  const up = async (file: StackFile): Promise<string> => (await open(file, folder.path)).up();

  after(() => folder.remove());

  test("and servers in it: in one run, on the same servers, and unnoticed", async (t) => {
    const before = await servers();
    const galera = await connections();
    await Promise.all(everybody.map((name) => lab.on(name, WATCH)));
    const stack = await open(used(grown()), folder.path);
    await unnoticed(t, () => stack.up());
    const now = await servers();
    assert.deepEqual([...now].filter(([name]) => before.has(name)).sort(), [...before].sort());
    assert.match(now.get(NEW.name)!, new RegExp(`"${NEW.address.replaceAll(".", "\\.")}"`));
    for (const name of everybody) await assertNeverLost(name, "25", "24");
    assert.deepEqual(await connections(), galera);
    assert.deepEqual(await subnets(), [ADDED, OLD]);
    await stack.up(["--expect-no-changes"]);
  });

  test("who is new there serves, and reaches the database", async (t) => {
    const stack = await open(
      used(grown()).set("services.more", { http: PORT, servers: "more", vips: ["www"] }),
      folder.path,
    );
    await unnoticed(t, () => stack.up());
    const { status, body } = await fromClient(lab, `http://${VIPS.www.ipv4}:${PORT}/`);
    assert.equal(status, 200, body);
    assert.match(body, /test-more-dc\d-1/);
    for (const name of everybody) await lab.on(name, `ping -c 1 -W 2 ${NEW.address}`);
    assert.match(await lab.on(NEW.name, "ip -o -4 addr show; ip route"), new RegExp(`via ${INTERNAL_VIP} `));
    const { code, stdout } = await verb("verify", stack);
    assert.equal(code, 0, stdout);
  });

  test("smaller again while somebody is there is refused; then it is, unnoticed", async (t) => {
    const { code, stdout, stderr } = await (await open(stackFile(), folder.path)).preview();
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, new RegExp(`more-dc1-1 has ${NEW.address}, which is outside`));
    await up(grown());
    const before = await servers();
    await Promise.all(everybody.map((name) => lab.on(name, WATCH)));
    await unnoticed(t, () => up(stackFile()));
    assert.deepEqual(await servers(), before);
    for (const name of everybody) await assertNeverLost(name, "24", "25");
    assert.deepEqual(await subnets(), [OLD]);
  });
});

const WATCH =
  "systemctl stop watch 2>/dev/null; systemd-run -q --unit=watch sh -c 'exec ip -o -4 monitor address >/run/watched'";

/** Its own address came with the new length before it went with the old one; setting it again is said again. */
async function assertNeverLost(name: string, before: string, now: string): Promise<void> {
  const said = await lab.on(name, "systemctl stop watch; cat /run/watched");
  const own = [...said.matchAll(/^(Deleted )?.* inet (198\.51\.100\.\d+\/2\d) .*$/gm)].map(
    ([, gone = "", address]) => gone + address!.replace(/.*\//, "/"),
  );
  const again = own.slice(2).map(() => `/${now}`);
  assert.deepEqual(own, [`/${now}`, `Deleted /${before}`, ...again], `${name}: ${said}`);
}

/** Of the databases among each other, by both ends: one that breaks comes back from another port. */
async function connections(): Promise<string[]> {
  const all = await Promise.all(
    cluster.databases.map((name) => lab.on(name, "ss -Htn state established '( sport = :4567 or dport = :4567 )'")),
  );
  return all.flatMap((each) => [...each.matchAll(/(\S+:\d+) +(\S+:\d+)/g)].map(([, a, b]) => `${a} ${b}`)).sort();
}

async function subnets(): Promise<string[]> {
  const list = await lab.openstack<{ Name: string; Subnet: string }[]>("subnet", "list");
  return list
    .filter(({ Name }) => Name.includes("internal"))
    .map(({ Subnet }) => Subnet)
    .sort();
}
