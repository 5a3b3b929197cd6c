import { join } from "node:path";
import type { Release } from "../../../config/spec";
import { run } from "../../../operate/exec";
import { findImage } from "../../node/harness/image";

/** The releases whose daemons read files here; Ubuntu's archive is not on Debian's mirrors. */
export const READERS = ["debian-11", "debian-12", "debian-13"] as const satisfies readonly Release[];
export type Reader = (typeof READERS)[number];

export function isReader(release: Release): release is Reader {
  return READERS.some((reader) => reader === release);
}

/** Root file systems with the daemons of each, to be seen through an overlay only; builds those that are missing. */
export async function readerRoots(): Promise<Record<Reader, string>> {
  const [bullseye, trixie] = await Promise.all([build("bullseye"), build("trixie")]);
  return { "debian-11": bullseye, "debian-12": findImage(), "debian-13": trixie };
}

async function build(suite: string): Promise<string> {
  return (await run(join(__dirname, "build.sh"), [suite], { timeout: 900_000 })).trim();
}
