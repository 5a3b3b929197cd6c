import { existsSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import type { Stack } from "../operate/stack";

/** What Pulumi says of a state whose file of attributes is empty: it was killed between making and filling it. */
const EMPTY = /failed to load checkpoint: EOF/;

/**
 * A backend that is a folder keeps a file of attributes beside each state, and reads neither when that is empty. The state itself
 * is written under another name first, and whole.
 *
 * @returns whether it was mended
 */
export async function mendAttributes(stack: Stack, error: unknown, say: (line: string) => void): Promise<boolean> {
  if (!(error instanceof Error) || !EMPTY.test(error.message)) return false;
  const { url } = JSON.parse(await stack.must(["whoami", "--verbose", "--json"])) as { url: string };
  if (!url.startsWith("file://")) return false;
  const folder = url.slice("file://".length).replace(/^~(?=\/|$)/, homedir());
  const name = stack.options.name.split("/").at(-1)!;
  const attributes = resolve(folder, ".pulumi", "stacks", "ha-cluster", `${name}.json.attrs`);
  if (!existsSync(attributes) || statSync(attributes).size > 0) return false;
  rmSync(attributes);
  say(`${attributes} was empty, as its writer was killed, and is deleted; the state beside it is whole`);
  return true;
}
