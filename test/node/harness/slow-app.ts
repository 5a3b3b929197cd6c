import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/**
 * Until its standard input ends, on port 8080; usage: slow-app.ts ADDRESS.
 *
 *   /download  over eight seconds
 *   /held      lines with numbers, twenty a second, until somebody asks for /release; the last line is "end"
 *   /upload    once the body is there, "BYTES SHA256" of it
 *   /once      "served" to the first request of a connection; the next one it has closed by then, as one that was idle for too long
 *   others     "served", after 50 to 300 ms
 */
const DOWNLOAD = { pieces: 80, every: 100, bytes: 1000 };
const HELD = { every: 50 };

const asked = new WeakSet<object>();
const held = new Set<() => void>();

function download(response: ServerResponse): void {
  let left = DOWNLOAD.pieces;
  const pace = setInterval(() => {
    response.write("x".repeat(DOWNLOAD.bytes));
    if (--left > 0) return;
    clearInterval(pace);
    response.end();
  }, DOWNLOAD.every);
}

function hold(response: ServerResponse): void {
  let number = 0;
  const pace = setInterval(() => response.write(`${++number}\n`), HELD.every);
  const release = () => {
    clearInterval(pace);
    held.delete(release);
    response.end("end\n");
  };
  held.add(release);
  response.on("close", release);
}

function receive(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash("sha256");
  let bytes = 0;
  request.on("data", (piece: Buffer) => {
    hash.update(piece);
    bytes += piece.length;
  });
  request.on("end", () => response.end(`${bytes} ${hash.digest("hex")}`));
}

const server = createServer((request, response) => {
  switch (request.url) {
    case "/download":
      download(response);
      break;
    case "/held":
      hold(response);
      break;
    case "/release":
      for (const release of [...held]) release();
      response.end("released");
      break;
    case "/once":
      if (asked.has(request.socket)) request.socket.destroy();
      else response.end("served");
      asked.add(request.socket);
      break;
    case "/upload":
      receive(request, response);
      break;
    default:
      setTimeout(() => response.end("served"), 50 + Math.random() * 250);
  }
});
server.requestTimeout = 0; // an upload may last
server.listen(8080, process.argv[2], () => process.stdout.write("listening\n"));
process.stdin.resume().on("end", () => process.exit(0));
