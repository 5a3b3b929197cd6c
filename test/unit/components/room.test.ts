import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { changeOf, type Change } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import type { Rooms } from "../../../change/route";
import { askRooms } from "../../../components/machines/room";
import { plan } from "../../../plan/plan";
import { CloudSession } from "../../../verify/gather/cloud";
import { dualStack, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

/*
 * What is asked of Nova to find out whether a zone has room, and what is left of it: nothing. A real one answers in
 * test/long/zones.test.ts.
 */

interface Probe {
  id: string;
  name: string;
  status: string;
  metadata: Record<string, string>;
  fault?: { message: string };
  networks?: string;
  availability_zone?: string;
  flavorRef?: string;
  imageRef?: string;
  group?: string;
}

/** Nova and Keystone, as far as they are asked. */
const nova = {
  servers: new Map<string, Probe>(),
  made: [] as Probe[],
  /** What becomes of a server that is made in a zone; ACTIVE after a while, if nothing else. */
  fates: {} as Record<string, string>,
  /** How many servers find a place in a zone; any number, if nothing else. */
  places: {} as Record<string, number>,
  refusal: undefined as string | undefined,
  /** How often a server is listed after its deletion. */
  lingering: 0,
};

let http: Server;
let url: string;

before(async () => {
  pulumi.runtime.setMocks({
    newResource: () => {
      throw new Error("nothing is made");
    },
    call: ({ inputs }) => ({ id: `flavor-${(inputs as { name: string }).name}` }),
  });
  http = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const say = (code: number, body?: object): void => {
        response.writeHead(code, { "X-Subject-Token": "token" });
        response.end(body && JSON.stringify(body));
      };
      const path = request.url!;
      const id = /^\/nova\/servers\/([^/?]+)$/.exec(path)?.[1];
      if (path.endsWith("/auth/tokens")) {
        const endpoints = [{ interface: "public", region: "r", url: `${url}/nova` }];
        say(201, { token: { catalog: [{ type: "compute", endpoints }] } });
      } else if (request.method === "POST") {
        if (request.headers["x-openstack-nova-api-version"] !== "2.37") {
          say(400);
          return;
        }
        if (nova.refusal !== undefined) {
          say(403, { forbidden: { code: 403, message: nova.refusal } });
          return;
        }
        const body = JSON.parse(text) as { server: Omit<Probe, "id">; "os:scheduler_hints": { group: string } };
        const made = { ...body.server, id: `probe-${nova.made.length + 1}`, status: "BUILD" };
        nova.made.push({ ...made, group: body["os:scheduler_hints"].group });
        nova.servers.set(made.id, made);
        say(202, { server: { id: made.id } });
      } else if (request.method === "DELETE") {
        const lingering = nova.lingering;
        if (lingering === 0) nova.servers.delete(id!);
        else nova.servers.get(id!)!.status = "DELETED";
        say(204);
      } else if (path.startsWith("/nova/servers/detail?name=")) {
        const servers = [...nova.servers.values()];
        if (nova.lingering > 0 && --nova.lingering === 0)
          for (const each of servers) if (each.status === "DELETED") nova.servers.delete(each.id);
        say(200, { servers });
      } else {
        const found = nova.servers.get(id!)!;
        say(200, { server: { ...found } });
        const zone = found.availability_zone!;
        const there = [...nova.servers.values()].filter(
          (each) => each.availability_zone === zone && each.status === "ACTIVE" && each.id !== found.id,
        );
        const fault = nova.fates[zone] ?? (there.length < (nova.places[zone] ?? Infinity) ? undefined : NONE);
        Object.assign(
          found,
          fault === undefined ? { status: "ACTIVE" } : { status: "ERROR", fault: { message: fault } },
        );
      }
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
after(() => http.close());

beforeEach(() => {
  nova.servers.clear();
  nova.made.length = 0;
  nova.fates = {};
  nova.places = {};
  nova.refusal = undefined;
  nova.lingering = 0;
});

const NONE = "No valid host was found. There are not enough hosts available.";

function exchange(rooms: Rooms, mayReplace = ["lb-dc1", "lb-dc2"]): Change {
  const standing = deployed(stateOf(plan(specOf(dualStack()))));
  const datacenters = { dc1: { availabilityZone: "dc2" }, dc2: { availabilityZone: "dc1" }, dc3: {} };
  const spec = specOf(dualStack({ datacenters, mayReplace }));
  const zones = Object.fromEntries(standing.servers.map(({ id, zone }) => [id, zone]));
  const cloud = { images: { "debian-12": "id-of-debian-12" }, zones, rooms };
  return changeOf(plan(spec), standing, { mayDelete: [], mayReplace: spec.mayReplace, mayRepair: [] }, cloud);
}

let logins = 0;

function ask(changeWith = exchange) {
  const serverGroups = { "load-balancer": "group-of-balancers", database: "group-of-databases" };
  const open = (): Promise<CloudSession> => {
    logins++;
    return CloudSession.open({ auth: { auth_url: url }, interface: "public" });
  };
  return askRooms({ serverGroups }, "dev", changeWith, open, 1);
}

describe("whether a zone has room", () => {
  test("is found out by a server like the one that is to move, of its group and without a port, which goes again", async () => {
    nova.lingering = 3;
    const { rooms, problems } = await ask();
    assert.deepEqual(problems, []);
    assert.deepEqual(rooms, { "load-balancer dc1": true });
    const [{ id, ...probe }, ...others] = nova.made as [Probe];
    assert.deepEqual(others, []);
    assert.deepEqual(probe, {
      name: "dev-lb-dc2-room",
      status: "BUILD",
      imageRef: "id-of-debian-12",
      flavorRef: "flavor-m1.small",
      availability_zone: "dc1",
      networks: "none",
      metadata: { "ha-cluster-room": "dev" },
      group: "group-of-balancers",
    });
    assert.equal(nova.servers.has(id), false);
    assert.equal(nova.lingering, 0, "its place is free only when it is gone");
  });

  test("is asked of one zone after the other, until one has it, or none", async () => {
    nova.fates = { dc1: NONE };
    assert.deepEqual((await ask()).rooms, { "load-balancer dc1": false, "load-balancer dc2": true });
    nova.fates = {
      dc1: NONE,
      dc2: "Exceeded maximum number of retries. Anti-affinity instance group policy was violated.",
    };
    const { rooms, problems } = await ask();
    assert.deepEqual(problems, []);
    assert.deepEqual(
      exchange(rooms)
        .route.stuck.map(({ planned }) => planned.id)
        .sort(),
      ["lb-dc1", "lb-dc2"],
    );
    assert.equal(nova.servers.size, 0);
  });

  test("is asked for both kinds at once: what takes one of them may not take two", async () => {
    const both = (rooms: Rooms): Change => exchange(rooms, ["lb-dc1", "lb-dc2", "db-dc1", "db-dc2"]);
    nova.places = { dc1: 2, dc2: 0 };
    assert.deepEqual((await ask(both)).rooms, { "load-balancer dc1": true, "database dc1": true });
    nova.places = { dc1: 1, dc2: 0 };
    assert.deepEqual((await ask(both)).rooms, {
      "load-balancer dc1": true,
      "database dc1": false,
      "database dc2": false,
    });
    nova.places = { dc1: 1, dc2: 1 };
    assert.deepEqual((await ask(both)).rooms, {
      "load-balancer dc1": true,
      "database dc1": false,
      "database dc2": true,
    });
    assert.equal(nova.servers.size, 0);
  });

  test("is not known where Nova makes no server for another reason: that is said in its words", async () => {
    nova.refusal = "Quota exceeded for instances: Requested 1, but already used 9 of 9 instances";
    const [problem] = (await ask()).problems;
    assert.equal(problem!.path, "datacenters.dc2.availabilityZone");
    assert.match(
      problem!.cause,
      /^would move lb-dc2 to dc1 beside `lb-dc1`, and whether .* answers 403: Quota exceeded for instances/,
    );
    nova.refusal = undefined;
    nova.fates = { dc1: "Build of instance aborted: disk full" };
    assert.match(
      (await ask()).problems[0]!.cause,
      /can't be asked: .* is in ERROR: Build of instance aborted: disk full$/,
    );
    assert.equal(nova.servers.size, 0);
  });

  test("is not asked while what a killed run left is there, and nobody else's server is touched", async () => {
    const server = (id: string, name: string, metadata = {}): Probe => ({ id, name, status: "ACTIVE", metadata });
    nova.servers.set("left", server("left", "dev-lb-dc1-room", { "ha-cluster-room": "dev" }));
    nova.servers.set("other", server("other", "acme-lb-dc1-room", { "ha-cluster-room": "acme" }));
    nova.servers.set("theirs", server("theirs", "dev-lb-dc1-room"));
    await ask();
    assert.deepEqual([...nova.servers.keys()], ["other", "theirs"]);
  });

  test("is given up at Ctrl-C, and nothing is left", async () => {
    const asking = ask();
    while (nova.made.length === 0) await new Promise((resolve) => setImmediate(resolve));
    process.emit("SIGINT");
    assert.match((await asking).problems[0]!.cause, /interrupted$/);
    assert.equal(nova.servers.size, 0);
    assert.equal(process.listenerCount("SIGINT"), 0);
  });

  test("is nobody's question where every move goes to a zone that is free", async () => {
    const before = logins;
    const asked = await ask((rooms) => ({ ...exchange(rooms), route: { steps: [], unasked: [], stuck: [] } }));
    assert.deepEqual(asked, { rooms: {}, problems: [] });
    assert.equal(logins, before);
  });
});
