import { writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { constants, setPriority } from "node:os";
import { type ConnectionOptions, createSecureContext, type SecureContext } from "node:tls";
import type { Batch, ClientTarget, Orders, Row } from "./wire";

/**
 * Opens new connections by the clock, whether or not earlier ones were answered (open loop), until its standard input ends;
 * then waits for what is still open. Usage: client.ts ORDERS; see wire.ts.
 */
class Client {
  private rows: Row[] = [];
  private open = 0;
  private sent = 0;
  private ended = false;
  private readonly begin = performance.now();
  private readonly contexts: (SecureContext | undefined)[];

  constructor(private readonly orders: Orders) {
    // Made once: it parses the certificates, which costs more than a handshake.
    this.contexts = orders.targets.map(({ url, ca }) =>
      url.startsWith("https:") ? createSecureContext(ca === undefined ? {} : { ca }) : undefined,
    );
  }

  run(): void {
    const sending = setInterval(() => this.send(), TICK);
    const flushing = setInterval(() => this.flush(), FLUSH);
    // Whoever started this is gone.
    process.stdout.on("error", () => process.exit(1));
    process.stdin.resume().on("end", () => {
      this.ended = true;
      clearInterval(sending);
      const closing = setInterval(() => {
        if (this.open > 0) return;
        clearInterval(closing);
        clearInterval(flushing);
        this.flush();
      }, TICK);
    });
  }

  /** Everything that has become due; targets take turns, so that they don't all send in the same moment. */
  private send(): void {
    const { targets, perSecond } = this.orders;
    const interval = 1000 / (perSecond * targets.length);
    for (;;) {
      const due = this.begin + this.sent * interval;
      if (this.ended || due > performance.now()) return;
      const index = this.sent++ % targets.length;
      this.attempt(index, targets[index]!, due);
    }
  }

  private attempt(index: number, target: ClientTarget, due: number): void {
    const sent = performance.now();
    this.open++;
    let told = false;
    const tell = (error?: string): void => {
      if (told) return;
      told = true;
      clearTimeout(limit);
      this.open--;
      const row: Row = [index, round(performance.timeOrigin + due), round(sent - due), round(performance.now() - sent)];
      if (error !== undefined) row.push(error);
      this.rows.push(row);
    };
    const secureContext = this.contexts[index];
    const secured: https.RequestOptions & ConnectionOptions = {
      agent: false,
      secureContext,
      servername: target.servername,
    };
    const request = secureContext ? https.request(target.url, secured) : http.request(target.url, { agent: false });
    // From the sending on, unlike the request's own timeout, which begins anew with every byte.
    const limit = setTimeout(() => {
      tell(`no answer within ${this.orders.timeout} ms`);
      request.destroy();
    }, this.orders.timeout);
    request.on("response", (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (text: string) => (body += text));
      response.on("end", () => tell(judge(target, response.statusCode, body)));
      response.on("error", (error) => tell(words(error)));
    });
    request.on("error", (error) => tell(words(error)));
    request.end();
  }

  private flush(): void {
    const { user, system } = process.cpuUsage();
    const batch: Batch = { rows: this.rows, cpu: (user + system) / 1e6 };
    this.rows = [];
    process.stdout.write(`${JSON.stringify(batch)}\n`);
  }
}

/** Milliseconds; node's timers are no finer, and what has become due in between is sent together. */
const TICK = 1;
const FLUSH = 100;

function judge({ status, contains }: ClientTarget, answered: number | undefined, body: string): string | undefined {
  if (answered !== status) return `status ${answered ?? "missing"}`;
  if (contains !== undefined && !body.includes(contains)) return `answer without ${JSON.stringify(contains)}`;
  return undefined;
}

/** Without the addresses and ports that a message may name, so that equal errors read equal. */
function words(error: NodeJS.ErrnoException): string {
  return error.code === undefined ? error.message : `${error.syscall ?? ""} ${error.code}`.trim();
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

/**
 * A client that waits for a processor would blame the cluster for it. Where sessions are weighed before processes (sched(7),
 * autogroup), the priority alone would count within this one only.
 */
function prefer(): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGH);
    writeFileSync("/proc/self/autogroup", String(constants.priority.PRIORITY_HIGH));
  } catch {
    // Only root may, and only Linux has sessions' weights; the lag is reported all the same.
  }
}

prefer();
new Client(JSON.parse(process.argv[2]!) as Orders).run();
