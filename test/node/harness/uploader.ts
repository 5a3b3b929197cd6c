import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";

/**
 * Sends a body at a steady pace until its standard input ends, but at least MEGABYTES of it; prints "BYTES SHA256" of what it
 * sent, and on a second line the answer. Usage: uploader.ts URL MEGABYTES
 */
const PIECE = 64 * 1024;
const EVERY = 10; // ms: 6 MB/s at most

const [url, megabytes] = process.argv.slice(2);
const least = Number(megabytes) * 1024 * 1024;
const hash = createHash("sha256");
let sent = 0;
let stopping = false;
process.stdin.resume().on("end", () => (stopping = true));

const post = request(url!, { method: "POST" }, (response) => {
  let answer = "";
  response.setEncoding("utf8").on("data", (text: string) => (answer += text));
  response.on("end", () => {
    console.log(`${sent} ${hash.digest("hex")}\n${answer}`);
    process.exit(0);
  });
});
post.on("error", (error) => {
  console.log(`${sent} sent\n${String(error)}`);
  process.exit(1);
});

function next(): void {
  if (stopping && sent >= least) {
    post.end();
    return;
  }
  const piece = randomBytes(PIECE);
  hash.update(piece);
  sent += PIECE;
  post.write(piece, () => setTimeout(next, EVERY));
}
next();
