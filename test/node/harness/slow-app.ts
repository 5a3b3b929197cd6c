import { createServer } from "node:http";

/**
 * Answers "served" after 50 to 300 ms, /download over eight seconds, until its standard input ends.
 * Usage: slow-app.ts ADDRESS, on port 8080.
 */
const DOWNLOAD = { pieces: 80, every: 100, bytes: 1000 };

const server = createServer((request, response) => {
  if (request.url !== "/download") {
    setTimeout(() => response.end("served"), 50 + Math.random() * 250);
    return;
  }
  let left = DOWNLOAD.pieces;
  const pace = setInterval(() => {
    response.write("x".repeat(DOWNLOAD.bytes));
    if (--left > 0) return;
    clearInterval(pace);
    response.end();
  }, DOWNLOAD.every);
});
server.listen(8080, process.argv[2], () => process.stdout.write("listening\n"));
process.stdin.resume().on("end", () => process.exit(0));
