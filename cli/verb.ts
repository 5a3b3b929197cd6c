import { heed, Interrupted, signalled } from "../operate/interruption";

/**
 * Runs a verb, and ends with the exit code that it gives; after a signal with 128 and its number, as a shell counts.
 *
 * @param failure the exit code of an error
 */
export async function verb(main: () => Promise<number>, failure: number): Promise<void> {
  heed();
  process.exitCode = failure;
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof Interrupted)) console.error(error instanceof Error ? error.message : error);
  }
  const code = signalled();
  if (code === undefined) return;
  console.error("interrupted");
  // What was given up may still be under way, and would be waited for.
  process.exit(code);
}
