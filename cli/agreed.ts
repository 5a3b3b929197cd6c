import { createInterface } from "node:readline/promises";
import { interruption } from "../operate/interruption";

/**
 * Whether a person says yes. A terminal that is closed, or none at all, has not: `question` alone would wait for ever.
 *
 * @throws after a signal
 */
export async function agreed(
  question: string,
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stdout,
): Promise<boolean> {
  const terminal = createInterface({ input, output });
  // A terminal that is asked sends Ctrl-C as a mere byte.
  terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  const stop = (): void => terminal.close();
  interruption.addEventListener("abort", stop);
  const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([terminal.question(question), closed]);
    interruption.throwIfAborted();
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    interruption.removeEventListener("abort", stop);
    terminal.close();
  }
}
