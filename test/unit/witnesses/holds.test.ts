import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, test } from "node:test";
import { until } from "../../../operate/poll";
import type { Order } from "../../witnesses/client";
import { accepted } from "../../witnesses/holds";
import type { Seen } from "../../witnesses/lines";
import { Witnesses } from "../../witnesses/witnesses";

const CLIENT = join(__dirname, "..", "..", "witnesses", "client.ts");

describe("connections that are held open", () => {
  let server: Server;
  let witnesses: Witnesses;
  /** Of the connection that is open, what breaks it in which way. */
  let now: { response?: ServerResponse; stream?: Duplex };
  /** What a request to `/` is answered. */
  let answers: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    now = {};
    answers = (_, response) => response.end("release=1 row=a");
    server = createServer((request, response) => {
      if (request.url !== "/download") {
        answers(request, response);
        return;
      }
      now.response = response;
      let number = 0;
      const writing = setInterval(() => response.write(`${String(++number).padStart(20)}\n`), 10);
      response.on("close", () => clearInterval(writing));
    });
    server.on("upgrade", (request: IncomingMessage, stream: Duplex) => {
      now.stream = stream;
      const accept = accepted(request.headers["sec-websocket-key"]!);
      stream.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      stream.on("error", () => undefined);
      stream.on("data", (frame: Buffer) => {
        const mask = frame.subarray(2, 6);
        const text = frame.subarray(6).map((byte, index) => byte ^ mask[index % 4]!);
        stream.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    now.stream?.destroy();
    await witnesses.stop();
    server.close();
  });

  async function watch(kind: Order["kind"], path: string): Promise<void> {
    const { port } = server.address() as AddressInfo;
    const order: Order = { witness: kind, kind, url: `http://127.0.0.1:${port}${path}`, contains: "row=a" };
    const args = ["--import", "tsx", CLIENT, JSON.stringify([order])];
    witnesses = new Witnesses().add([kind], [process.execPath, args]);
    await witnesses.begun();
  }

  /** Waits until it has seen this. */
  async function sees(what: string, fits: (seen: Seen) => boolean): Promise<Seen> {
    const [seen] = await until(
      what,
      () => Promise.resolve(witnesses.seen),
      ([each]) => fits(each!),
    );
    return seen!;
  }

  /** Breaks it, and gives how the witness says so, once it is open again. */
  async function broken(how: () => void): Promise<string> {
    const began = Date.now();
    how();
    const { breaks, beats } = await sees(
      "a break, and another connection",
      (seen) => seen.breaks[0]?.away !== undefined,
    );
    assert.equal(breaks.length, 1);
    assert.ok(breaks[0]!.at >= began && breaks[0]!.at <= Date.now());
    await sees("answers afterwards", (seen) => seen.beats > beats);
    return breaks[0]!.error;
  }

  test("nothing is said of what nobody breaks", async () => {
    await watch("download", "/download");
    await sees("fifty lines", ({ beats }) => beats >= 50);
    const [seen] = await witnesses.stop();
    assert.deepEqual([seen!.breaks, seen!.refused, seen!.renewed], [[], [], 0]);
  });

  for (const [what, how, words] of [
    ["cut", (response: ServerResponse) => response.destroy(), /^aborted|ECONNRESET$/],
    ["ended", (response: ServerResponse) => response.end(), /^ended after line \d+$/],
    ["short of a line", (response: ServerResponse) => response.write("7000\n"), /^line 7000 after line \d+$/],
  ] as const) {
    test(`a download that is ${what} has broken`, async () => {
      await watch("download", "/download");
      assert.match(await broken(() => how(now.response!)), words);
    });
  }

  for (const [what, how, words] of [
    ["ended", (stream: Duplex) => stream.end(), /^closed after \d+ texts$/],
    ["closed by a frame", (stream: Duplex) => stream.write(Buffer.from([0x88, 0])), /^frame 136 "" after \d+$/],
    ["told another text", (stream: Duplex) => stream.write(Buffer.from([0x81, 1, 0x78])), /^frame 129 "x" after \d+$/],
  ] as const) {
    test(`a WebSocket that is ${what} has broken`, async () => {
      await watch("socket", "/socket");
      assert.match(await broken(() => how(now.stream!)), words);
    });
  }

  test("a kept connection that an answer closes is renewed, and has not broken", async () => {
    await watch("kept", "/");
    answers = (_, response) => response.setHeader("Connection", "close").end("release=1 row=a");
    const { breaks } = await sees("three of them", ({ renewed }) => renewed >= 3);
    assert.deepEqual(breaks, []);
  });

  test("a kept connection whose answers are late is still the same one", async () => {
    await watch("kept", "/");
    answers = (_, response) => setTimeout(() => response.end("release=1 row=a"), 150);
    const { beats } = witnesses.seen[0]!;
    const { renewed } = await sees("late answers", (seen) => seen.beats >= beats + 5);
    assert.equal(renewed, 0);
  });

  for (const [what, how, words] of [
    [
      "cut in the middle of a request",
      (response: ServerResponse) => response.destroy(),
      /^socket hang up, on the kept connection|ECONNRESET, on/,
    ],
    [
      "answered 503",
      (response: ServerResponse) => (response.statusCode = 503) && response.end("no"),
      /^status 503: no$/,
    ],
    ["answered by another release", (response: ServerResponse) => response.end("row=b"), /^answer without "row=a"$/],
  ] as const) {
    test(`a kept connection that is ${what} has broken`, async () => {
      await watch("kept", "/");
      const well = answers;
      const error = await broken(() => {
        answers = (_, response) => {
          answers = well;
          how(response);
        };
      });
      assert.match(error, words);
    });
  }

  test("who can't come back is refused, time and again", async () => {
    await watch("download", "/download");
    server.close();
    now.response!.destroy();
    const { breaks, refused } = await sees("refusals", (seen) => seen.refused.length >= 3);
    assert.equal(breaks[0]!.away, undefined);
    assert.match(refused[0]!.error, /connect ECONNREFUSED/);
  });

  test("a watcher that ends by itself has seen nothing any more: that is a break of all that it watched", async () => {
    const line = { witness: "a", at: 1, what: "opened" };
    const beats = { witness: "a", at: 2, what: "beats", count: 9, silence: 3 };
    witnesses = new Witnesses().add(
      ["a", "b"],
      ["sh", ["-c", `echo '${JSON.stringify(line)}'; echo '${JSON.stringify(beats)}'; exit 3`]],
    );
    await until(
      "its end",
      () => Promise.resolve(witnesses.seen),
      (seen) => seen.every(({ breaks }) => breaks.length === 1),
    );
    const [a, b] = witnesses.seen;
    assert.deepEqual(
      [a!.beats, a!.silence, a!.breaks[0]!.error, b!.breaks[0]!.error],
      [9, 3, "its watcher ended: 3", "its watcher ended: 3"],
    );
  });
});
