import { request } from "node:http";

/**
 * Opens a new connection to each URL at a fixed pace, whether or not earlier ones have been answered (open loop), and
 * prints one JSON line `{url, at, milliseconds, ok}` per attempt; `at` is when it was sent, in milliseconds.
 * Ends on SIGTERM. Usage: probe.ts INTERVAL_MS TIMEOUT_MS URL...
 */
function main([interval, timeout, ...urls]: string[]): void {
  const begin = performance.timeOrigin;
  const tick = (): void => {
    for (const url of urls) attempt(url, Number(timeout), begin);
  };
  setInterval(tick, Number(interval));
  process.on("SIGTERM", () => process.exit(0));
}

function attempt(url: string, timeout: number, begin: number): void {
  const sent = performance.now();
  let told = false;
  const tell = (ok: boolean): void => {
    if (told) return;
    told = true;
    const now = performance.now();
    process.stdout.write(`${JSON.stringify({ url, at: begin + sent, milliseconds: now - sent, ok })}\n`);
  };
  const attempted = request(url, { agent: false, timeout }, (response) => {
    response.resume().on("end", () => tell(response.statusCode === 200));
  });
  attempted.on("error", () => tell(false));
  attempted.on("timeout", () => {
    tell(false);
    attempted.destroy();
  });
  attempted.end();
}

main(process.argv.slice(2));
