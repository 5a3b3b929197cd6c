import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { changeOf } from "../../../change/change";
import { deployed, type Resource } from "../../../change/deployed";
import { addAddresses } from "../../../components/machines/addresses";
import type { Problem } from "../../../config/problems";
import { plan } from "../../../plan/plan";
import { CloudSession } from "../../../verify/gather/cloud";
import { dualStack, type Raw, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

/*
 * What Neutron is asked for before servers move to another external network. A real one answers in
 * test/long/external-network.test.ts.
 */

interface Port {
  fixed_ips: { subnet_id: string; ip_address: string }[];
  allowed_address_pairs: { ip_address: string; mac_address?: string }[];
}

const SUBNETS = [
  { id: "v4", cidr: "203.0.113.0/24" },
  { id: "old", cidr: "2001:db8:45::/48" },
  { id: "new", cidr: "2001:db8:46::/48" },
];

/** Neutron and Keystone, as far as they are asked. */
const neutron = {
  ports: new Map<string, Port>(),
  subnets: SUBNETS,
  refusal: undefined as string | undefined,
  refused: "",
};

let http: Server;
let url: string;

before(async () => {
  http = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const say = (code: number, body: object): void => {
        response.writeHead(code, { "X-Subject-Token": "token" });
        response.end(JSON.stringify(body));
      };
      const path = request.url!;
      const id = /^\/neutron\/v2\.0\/ports\/([^/?]+)$/.exec(path)?.[1];
      if (path.endsWith("/auth/tokens")) {
        const endpoints = [{ interface: "public", region: "r", url: `${url}/neutron` }];
        say(201, { token: { catalog: [{ type: "network", endpoints }] } });
      } else if (path === "/neutron/v2.0/subnets?network_id=id-of-external") {
        say(200, { subnets: neutron.subnets });
      } else if (id === undefined) {
        say(404, {});
      } else if (request.method === "PUT") {
        if (neutron.refusal !== undefined && id === neutron.refused) {
          say(409, { NeutronError: { message: neutron.refusal } });
          return;
        }
        neutron.ports.set(id, (JSON.parse(text) as { port: Port }).port);
        say(200, {});
      } else {
        say(200, { port: { ...neutron.ports.get(id), network_id: "id-of-external" } });
      }
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
after(() => new Promise((resolve) => http.close(resolve)));

const PORT = "id-of-lb-dc1-external";
const BEFORE: Port = {
  fixed_ips: [
    { subnet_id: "v4", ip_address: "203.0.113.11" },
    { subnet_id: "old", ip_address: "2001:db8:45:b::1" },
  ],
  allowed_address_pairs: [
    { ip_address: "203.0.113.100", mac_address: "fa:16:3e:00:00:01" },
    { ip_address: "2001:db8:45:67bb::1", mac_address: "fa:16:3e:00:00:01" },
  ],
};

beforeEach(() => {
  neutron.ports = new Map(["lb-dc1", "lb-dc2", "lb-dc3"].map((id) => [`id-of-${id}-external`, BEFORE]));
  neutron.refusal = undefined;
  neutron.subnets = SUBNETS;
});

const moved = dualStack({
  external: {
    ipv4: { cidr: "203.0.113.0/24", gateway: "203.0.113.1" },
    ipv6: { prefix: "2001:db8:46::/48", gateway: "2001:db8:46::1" },
    vipRanges: ["203.0.113.96/28", "2001:db8:46:67bb::/64"],
  },
  vips: { www: { ipv4: "203.0.113.100", ipv6: "2001:db8:46:67bb::1" } },
});

async function asked(now: Raw, state = (all: Resource[]) => all): Promise<{ problems: Problem[]; opened: number }> {
  let opened = 0;
  const open = (): Promise<CloudSession> => {
    opened++;
    return CloudSession.open({ auth: { auth_url: url, username: "u", password: "p" }, interface: "public" });
  };
  const standing = deployed(state(stateOf(plan(specOf(dualStack())))));
  const planned = plan(specOf(now));
  return { problems: await addAddresses(planned, changeOf(planned, standing), open), opened };
}

describe("the ports of load balancers that move", () => {
  test("get what is planned beside what they have", async () => {
    assert.deepEqual((await asked(moved)).problems, []);
    assert.deepEqual(neutron.ports.get(PORT), {
      fixed_ips: [...BEFORE.fixed_ips, { subnet_id: "new", ip_address: "2001:db8:46:b::1" }],
      allowed_address_pairs: [...BEFORE.allowed_address_pairs, { ip_address: "2001:db8:46:67bb::1" }],
    });
    const once = neutron.ports.get(PORT);
    await asked(moved);
    assert.deepEqual(neutron.ports.get(PORT), once);
  });

  test("lose what no server may have: a run to elsewhere was cut, or gone back from", async () => {
    const stray = { subnet_id: "other", ip_address: "2001:db8:47:b::1" };
    neutron.ports.set(PORT, { ...BEFORE, fixed_ips: [...BEFORE.fixed_ips, stray] });
    await asked(moved);
    assert.ok(!neutron.ports.get(PORT)!.fixed_ips.some(({ subnet_id }) => subnet_id === "other"));
  });

  test("get back what the state says that they have, as a killed run may have given it back already", async () => {
    const now = { subnet_id: "new", ip_address: "2001:db8:46:b::1" };
    neutron.ports.set(PORT, { ...BEFORE, fixed_ips: [BEFORE.fixed_ips[0]!, now] });
    await asked(moved);
    assert.deepEqual(neutron.ports.get(PORT)!.fixed_ips, [BEFORE.fixed_ips[0], now, BEFORE.fixed_ips[1]]);
    // Of a subnet that the provider has taken away nothing can be had.
    neutron.ports.set(PORT, { ...BEFORE, fixed_ips: [BEFORE.fixed_ips[0]!, now] });
    neutron.subnets = SUBNETS.filter(({ id }) => id !== "old");
    assert.deepEqual((await asked(moved)).problems, []);
    assert.deepEqual(neutron.ports.get(PORT)!.fixed_ips, [BEFORE.fixed_ips[0], now]);
  });

  test("are not asked for where nobody moves", async () => {
    assert.deepEqual(await asked(dualStack({ database: { port: 3307 } })), { problems: [], opened: 0 });
  });

  for (const [title, order, words] of [
    [
      "what Neutron refuses",
      () => {
        neutron.refusal = "IP address in use";
        neutron.refused = PORT;
      },
      /^lb-dc1 can't have its new addresses beside the old ones: .*answers 409: IP address in use$/,
    ],
    [
      "that there is no such subnet",
      () => (neutron.subnets = SUBNETS.slice(0, 2)),
      /^lb-dc3 can't .*: no subnet of the network has 2001:db8:46:d::1$/,
    ],
  ] as const) {
    test(`${title}, is said with the key that asks for it, and all ports are as they were`, async () => {
      order();
      const { problems } = await asked(moved);
      assert.deepEqual(
        problems.map(({ path }) => path),
        ["external.ipv6.prefix"],
      );
      assert.match(problems[0]!.cause, words);
      assert.deepEqual([...neutron.ports.values()], [BEFORE, BEFORE, BEFORE]);
    });
  }
});
