import { createHash, randomBytes } from "node:crypto";
import * as http from "node:http";
import * as https from "node:https";
import type { Duplex } from "node:stream";
import type { Reporter } from "./reporter";

/** What is asked, and of whom. */
export interface Asked {
  url: string;
  /** PEM text of what must have signed the certificate. */
  ca?: string;
  servername?: string;
  /** What every answer of a kept connection must contain. */
  contains?: string;
}

/** Holds one connection until it ends or `stop` fires, and gives why it ended by itself. */
export type Hold = (asked: Asked, report: Reporter, stop: AbortSignal) => Promise<string>;

/** Milliseconds without an answer after which a connection counts as broken; haproxy waits longer for either side. */
const SILENT = 10_000;

/** A body that never ends, in lines that are numbered from 1: none may be missing. */
export const download: Hold = (asked, report, stop) =>
  new Promise((resolve) => {
    let [rest, next] = ["", 1];
    const request = requestOf(asked, { agent: false, signal: stop });
    const silence = new Silence(() => {
      resolve(`nothing for ${SILENT} ms`);
      request.destroy();
    });
    const ends = (why: string): void => {
      silence.over();
      resolve(why);
    };
    request.on("response", (response) => {
      if (response.statusCode !== 200) {
        ends(`status ${response.statusCode ?? "missing"}`);
        return;
      }
      report.opened();
      response.setEncoding("latin1").on("data", (text: string) => {
        silence.ends();
        report.beat();
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          if (Number(line) !== next) {
            ends(`line ${Number(line)} after line ${next - 1}`);
            request.destroy();
          }
          next++;
        }
      });
      response.on("end", () => ends(`ended after line ${next - 1}`));
      response.on("error", (error) => ends(words(error)));
    });
    request.on("error", (error) => ends(words(error)));
    request.end();
  });

/** A WebSocket: a text every 200 ms, which must come back. */
export const socket: Hold = (asked, report, stop) =>
  new Promise((resolve) => {
    const key = randomBytes(16).toString("base64");
    const headers = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": key,
    };
    const request = requestOf(asked, { agent: false, headers, signal: stop });
    const silence = new Silence(() => ends(`nothing for ${SILENT} ms`));
    let [connection, asking]: [Duplex?, NodeJS.Timeout?] = [];
    const ends = (why: string): void => {
      silence.over();
      clearInterval(asking);
      connection?.destroy();
      request.destroy();
      resolve(why);
    };
    request.on("response", ({ statusCode }) => ends(`status ${statusCode ?? "missing"}`));
    request.on("error", (error) => ends(words(error)));
    request.on("upgrade", (response, stream: Duplex, head: Buffer) => {
      connection = stream;
      if (response.headers["sec-websocket-accept"] !== accepted(key)) {
        ends("another answer than a WebSocket's");
        return;
      }
      report.opened();
      stop.addEventListener("abort", () => ends("stopped"));
      let [sent, came, buffer] = [0, 0, head];
      asking = setInterval(() => stream.write(frame(`${++sent}`)), 200);
      stream.on("error", (error) => ends(words(error)));
      stream.on("end", () => ends(`closed after ${came} texts`));
      stream.on("data", (data: Buffer) => {
        silence.ends();
        buffer = Buffer.concat([buffer, data]);
        while (buffer.length >= 2 && buffer.length >= 2 + buffer[1]!) {
          const [kind, length] = [buffer[0], buffer[1]!];
          const text = buffer.toString("latin1", 2, 2 + length);
          buffer = buffer.subarray(2 + length);
          if (kind !== TEXT || Number(text) !== came + 1) {
            ends(`frame ${kind} ${JSON.stringify(text)} after ${came}`);
            return;
          }
          came++;
          report.beat();
        }
      });
    });
    request.end();
  });

/**
 * One request every 100 ms over one connection. The other side may close it with an answer, or between two; a request that gets no
 * answer, or another one than it should, is a break.
 */
export const kept: Hold = async (asked, report, stop) => {
  const agent = (asked.url.startsWith("https:") ? https : http).Agent;
  const keeping = new agent({ keepAlive: true, maxSockets: 1 });
  try {
    // Not `reusedSocket`: what waited for the one connection is not told that it got it a second time.
    let connection: unknown;
    while (!stop.aborted) {
      const due = performance.now() + 100;
      const why = await new Promise<string | undefined>((resolve) => {
        const request = requestOf(asked, { agent: keeping });
        const silence = new Silence(() => {
          resolve(`nothing for ${SILENT} ms`);
          request.destroy();
        });
        const ends = (error?: string): void => {
          silence.over();
          resolve(error);
        };
        let again = true;
        request.on("socket", (its) => {
          again = its === connection;
          if (!again && report.isOpen) report.renewed();
          connection = its;
        });
        request.on("response", (response) => {
          let body = "";
          response.setEncoding("latin1").on("data", (text: string) => (body += text));
          response.on("end", () => {
            if (response.statusCode !== 200) {
              ends(`status ${response.statusCode ?? "missing"}: ${body.slice(0, 80)}`);
              return;
            }
            if (!body.includes(asked.contains ?? "")) {
              ends(`answer without ${JSON.stringify(asked.contains)}`);
              return;
            }
            if (!report.isOpen) report.opened();
            report.beat();
            ends();
          });
          response.on("error", (error) => ends(words(error)));
        });
        request.on("error", (error) =>
          ends(`${words(error)}, ${again ? "on the kept connection" : "on a new connection"}`),
        );
        request.end();
      });
      if (why !== undefined) return why;
      await pause(due - performance.now(), stop);
    }
    return "stopped";
  } finally {
    keeping.destroy();
  }
};

export function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds <= 0 || stop.aborted) {
      resolve();
      return;
    }
    const over = (): void => {
      clearTimeout(timer);
      stop.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    stop.addEventListener("abort", over);
  });
}

function requestOf({ url, ca, servername }: Asked, options: http.RequestOptions): http.ClientRequest {
  return url.startsWith("https:")
    ? https.request(url, {
        ...options,
        ...(ca !== undefined && { ca }),
        ...(servername !== undefined && { servername }),
      })
    : http.request(url, options);
}

/** Fires when nothing has come for too long. */
class Silence {
  private timer: NodeJS.Timeout;

  constructor(private readonly fires: () => void) {
    this.timer = setTimeout(fires, SILENT);
  }

  ends(): void {
    this.over();
    this.timer = setTimeout(this.fires, SILENT);
  }

  over(): void {
    clearTimeout(this.timer);
  }
}

const TEXT = 0x81;

/** A client's: masked, and shorter than 126 bytes. */
function frame(text: string): Buffer {
  const mask = randomBytes(4);
  const masked = Buffer.from(text, "latin1").map((byte, index) => byte ^ mask[index % 4]!);
  return Buffer.concat([Buffer.from([TEXT, 0x80 | masked.length]), mask, masked]);
}

/** RFC 6455, section 4.2.2. */
export function accepted(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

function words(error: NodeJS.ErrnoException): string {
  return error.code === undefined ? error.message : `${error.syscall ?? ""} ${error.code}`.trim();
}
