import { type Asked, download, type Hold, kept, pause, socket } from "./holds";
import { Reporter } from "./reporter";

/** What is held open: `download`, `socket` or `kept` of holds.ts. */
export interface Order extends Asked {
  witness: string;
  kind: keyof typeof HOLDS;
}

const HOLDS = { download, socket, kept } satisfies Record<string, Hold>;

/** Holds each connection open, and opens it again when it has ended, until `stop` fires. */
async function watch({ witness, kind, ...asked }: Order, stop: AbortSignal): Promise<void> {
  const report = new Reporter(witness, (line) => process.stdout.write(`${JSON.stringify(line)}\n`));
  while (!stop.aborted) {
    const why = await HOLDS[kind](asked, report, stop);
    if (stop.aborted) break;
    report.failed(why);
    await pause(100, stop);
  }
  report.close();
}

/** Usage: client.ts ORDERS, as JSON; prints lines.ts until its standard input ends. */
if (require.main === module) {
  const stop = new AbortController();
  process.stdin.resume().on("end", () => stop.abort());
  // Whoever started this is gone.
  process.stdout.on("error", () => process.exit(1));
  const orders = JSON.parse(process.argv[2]!) as Order[];
  void Promise.all(orders.map((order) => watch(order, stop.signal))).then(() => process.exit(0));
}
