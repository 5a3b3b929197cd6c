import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { until } from "../../../operate/poll";
import { type Attempt, gapOf, gapsByUrl } from "../../../operate/traffic/gap";
import { Traffic } from "../../../operate/traffic/traffic";

function attempt(at: number, ok = true): Attempt {
  return { url: "http://192.0.2.1/", at, late: 0, milliseconds: 1, ok };
}

describe("a gap", () => {
  test("is the longest time between the starts of two successive answered requests", () => {
    const attempts = [attempt(100), attempt(0), attempt(110, false), attempt(120, false), attempt(135), attempt(145)];
    assert.deepEqual(gapOf(attempts), { sent: 6, failed: 2, longest: 100 });
    assert.deepEqual(gapOf(attempts.slice(2)), { sent: 4, failed: 2, longest: 10 });
    assert.deepEqual(gapOf([]), { sent: 0, failed: 0, longest: 0 });
  });

  test("is one for each URL", () => {
    const other = { ...attempt(50), url: "http://192.0.2.2/" };
    assert.deepEqual(
      [...gapsByUrl([attempt(0), other, attempt(100)])].map(([url, { longest }]) => [url, longest]),
      [
        ["http://192.0.2.1/", 100],
        ["http://192.0.2.2/", 0],
      ],
    );
  });
});

describe("traffic", () => {
  let server: Server;
  let connections = 0;
  let port = 0;
  let silent = false;

  before(async () => {
    server = createServer((request, response) => {
      if (silent) return;
      response.statusCode = request.url === "/missing" ? 404 : 200;
      response.end("served");
    });
    server.on("connection", () => connections++);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const url = (path: string): string => `http://127.0.0.1:${port}${path}`;

  test("opens a new connection for every request, at the pace that was asked for", async () => {
    const before = connections;
    const traffic = Traffic.start([{ url: url("/"), contains: "served" }], { perSecond: 100 });
    await until("100 answers", () => Promise.resolve(traffic.steady(100)), Boolean);
    const attempts = await traffic.stop();
    assert.equal(connections - before, attempts.length);
    assert.equal(gapOf(attempts).failed, 0);
    const seconds = (attempts.at(-1)!.at - attempts[0]!.at) / 1000;
    assert.ok(Math.abs((attempts.length - 1) / seconds - 100) < 1, `${attempts.length} in ${seconds} s`);
    assert.ok(traffic.cpu > 0);
  });

  test("says why a request failed", async () => {
    const targets = [
      { url: url("/missing") },
      { url: url("/"), contains: "else" },
      { url: "http://127.0.0.1:1/" },
      { url: url("/missing"), status: 404 },
    ];
    const traffic = Traffic.start(targets, { perSecond: 50 });
    await until("answers", () => Promise.resolve(traffic.attempts.length >= 40), Boolean);
    assert.equal(traffic.steady(1), false);
    const attempts = await traffic.stop();
    assert.deepEqual(
      new Set(attempts.map(({ error }) => error)),
      new Set(["status 404", 'answer without "else"', "connect ECONNREFUSED", undefined]),
    );
  });

  test("gives up after its timeout, and never waits for one request to send the next", async () => {
    silent = true;
    const traffic = Traffic.start([{ url: url("/") }], { perSecond: 50, timeout: 300 });
    await until("failures", () => Promise.resolve(traffic.attempts.length >= 30), Boolean);
    const attempts = await traffic.stop();
    assert.deepEqual(new Set(attempts.map(({ error }) => error)), new Set(["no answer within 300 ms"]));
    for (const [index, { at }] of attempts.entries()) assert.ok(Math.abs(at - attempts[0]!.at - index * 20) < 1);
  });

  test("a client that can't start says so", async () => {
    const traffic = Traffic.start([{ url: url("/") }], { perSecond: 1, via: () => ["false", []] });
    await assert.rejects(traffic.stop(), /the client ended by itself with 1/);
  });
});
