import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fromClient } from "../../harness/http";
import { until } from "../../operate/poll";
import type { Stack } from "../../operate/stack";
import { cluster, lab, open, stackFile, VIPS } from "./support";
import { temporaryFolder } from "../support/folder";

const PAIRS = Object.values(VIPS).flatMap((vip) => [vip.ipv4, vip.ipv6]);
const HEALTH4 = cluster.url("ipv4", "/healthz");
const HEALTH6 = cluster.url("ipv6", "/healthz");

async function status(url: string): Promise<number> {
  return fromClient(lab, url).then(
    (answer) => answer.status,
    () => 0,
  );
}

describe("the hypervisor's ACL", () => {
  const folder = temporaryFolder();
  let stack: Stack;

  before(async () => {
    stack = await open(stackFile(), folder.path);
  });
  after(() => folder.remove());

  test("a VIP whose pair is removed can't be reached, and `up --refresh` brings it back", async () => {
    assert.deepEqual([await status(HEALTH4), await status(HEALTH6)], [200, 200]);
    const kept = PAIRS.filter((pair) => pair !== VIPS.www.ipv6);
    for (const name of cluster.loadBalancers) {
      const pairs = kept.flatMap((pair) => ["--allowed-address", `ip-address=${pair}`]);
      await lab.openstackDo("port", "set", "--no-allowed-address", ...pairs, `${name}-external`);
    }
    await until(
      "the IPv6 VIP to be cut off",
      () => status(HEALTH6),
      (code) => code === 0,
      { seconds: 20 },
    );
    assert.equal(await status(HEALTH4), 200, "the other family is not concerned");

    await stack.up(["--refresh"]);
    await until(
      "the IPv6 VIP to be back",
      () => status(HEALTH6),
      (code) => code === 200,
      { seconds: 20 },
    );
  });

  test("an address without a pair is of no use to a machine", async () => {
    const stolen = "203.0.113.250";
    try {
      await lab.on("test-lb-dc1", `ip address add ${stolen}/32 dev eth0`);
      const { code } = await lab.client("ping", "-c", "1", "-W", "1", stolen);
      assert.notEqual(code, 0);
    } finally {
      await lab.on("test-lb-dc1", `ip address del ${stolen}/32 dev eth0`);
    }
  });
});
