import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Fleet } from "../../../operate/fleet";
import { CloudSession } from "../../../verify/gather/cloud";
import { lookAtAll } from "../../../verify/gather/machine";
import { Neutron } from "../../../verify/gather/neutron";
import { Nova } from "../../../verify/gather/nova";
import { fleetOf } from "../../../verify/verify";
import { temporaryFolder } from "../../support/folder";
import { ANSWER } from "./fixtures/answer";
import { deployed } from "./fixtures/cluster";

/** A client that reaches nobody by way of 203.0.113.11, and notes how it was called. */
describe("a load balancer that is away", () => {
  const folder = temporaryFolder();
  const calls = join(folder.path, "calls");
  const { PATH } = process.env;
  const all = deployed();
  let fleet: Fleet;

  function client(reached: string): void {
    const script = `#!/bin/sh
cat >/dev/null
printf '%s\\n' "$*" | head -n 1 >>${calls}
case "$*" in ${reached}) cat ${folder.path}/answer; exit 0 ;; esac
echo 'Connection timed out' >&2
exit 255
`;
    writeFileSync(join(folder.path, "ssh"), script);
    chmodSync(join(folder.path, "ssh"), 0o755);
    writeFileSync(calls, "");
  }

  before(() => {
    writeFileSync(join(folder.path, "answer"), ANSWER);
    process.env.PATH = `${folder.path}:${PATH}`;
    fleet = fleetOf(all);
  });
  after(async () => {
    await fleet.close();
    process.env.PATH = PATH;
    folder.remove();
  });

  const machines = all.machines.filter(({ name }) => name.includes("lb") || name.includes("app-dc1"));

  test("is gone round by another one", async () => {
    client("*debian@203.0.113.1[23]*");
    const { looks, unreached } = await lookAtAll(fleet, machines);
    assert.deepEqual(looks.map(({ machine }) => machine.name).sort(), ["dev-app-dc1-1", "dev-lb-dc2", "dev-lb-dc3"]);
    assert.deepEqual(unreached, [{ name: "dev-lb-dc1", reason: "Connection timed out" }]);
    assert.match(readFileSync(calls, "utf8"), /-J debian@203\.0\.113\.12 debian@198\.51\.100\.31/);
  });

  test("is told apart from a machine that is away behind it", async () => {
    client("*config\\ debian@203.0.113.1[23]*");
    const { unreached } = await lookAtAll(fleet, machines);
    const { reason, jump } = unreached.find(({ name }) => name === "dev-app-dc1-1")!;
    assert.equal(jump, undefined);
    assert.match(reason, /^Connection timed out \(by way of dev-lb-dc2, as dev-lb-dc1 is away\)$/);
  });

  test("where no other is left, nobody behind it can be asked", async () => {
    client("nobody");
    const { unreached } = await lookAtAll(fleet, machines);
    assert.equal(unreached.length, 4);
    assert.equal(unreached.find(({ name }) => name === "dev-app-dc1-1")!.jump, "dev-lb-dc1");
  });
});

describe("the cloud", () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = request.url!;
    asked.push(url);
    const { port } = server.address() as AddressInfo;
    const place = (type: string): object => ({
      type,
      endpoints: [{ interface: "public", region: "R", url: `http://127.0.0.1:${port}/${type}/` }],
    });
    const answer = url.includes("tokens")
      ? { token: { catalog: [place("network"), place("compute")] } }
      : url.startsWith("/compute/servers/detail?marker=a")
        ? { servers: [{ id: "b", status: "ERROR", fault: { message: "No valid host" } }] }
        : url.startsWith("/compute")
          ? { servers: [{ id: "a", status: "ACTIVE" }], servers_links: [{ rel: "next", href: "" }] }
          : { ports: [{ id: /=([^&]*)/.exec(url)![1], name: "", device_id: "", fixed_ips: [] }] };
    response.setHeader("X-Subject-Token", "T").end(JSON.stringify(answer));
  });
  let session: CloudSession;

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    session = await CloudSession.open({ auth: { auth_url: `http://127.0.0.1:${port}/` }, interface: "public" });
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  test("lists all pages of servers", async () => {
    const servers = await new Nova(session).servers();
    assert.deepEqual(
      servers.map(({ id, fault }) => [id, fault?.message]),
      [
        ["a", undefined],
        ["b", "No valid host"],
      ],
    );
  });

  test("is asked for many ports in several questions, and names each once", async () => {
    const ids = Array.from({ length: 250 }, (_, index) => `port-${index}`);
    asked.length = 0;
    const ports = await new Neutron(session).ports(ids, ["server"], ["198.51.100.31"]);
    assert.deepEqual(
      ports.map(({ id }) => id),
      ["port-0", "port-100", "port-200", "server", "ip_address%3D198.51.100.31"],
    );
    assert.ok(asked.every((url) => url.length < 8000));
  });
});
