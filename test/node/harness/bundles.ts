import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";

const SCRIPTS = join(__dirname, "../../../node");
const FIXTURES = join(__dirname, "../fixtures");

/** All scripts of node/ by the names they have in /opt/ha-cluster. */
export function readScripts(): Record<string, string> {
  const paths = readdirSync(SCRIPTS, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".sh"));
  return Object.fromEntries(paths.map((path) => [basename(path), readFileSync(join(SCRIPTS, path), "utf8")]));
}

/** A fixture is a bundle with names like @ADDRESS@ in it; every name must have a value, and every value be used. */
export function fixture(name: string, values: Record<string, string> = {}): string {
  let text = readFileSync(join(FIXTURES, name), "utf8");
  for (const [key, value] of Object.entries(values)) {
    if (!text.includes(`@${key}@`)) throw new Error(`fixture ${name} has no @${key}@`);
    text = text.replaceAll(`@${key}@`, () => value);
  }
  const left = /@[A-Z_]+@/.exec(text);
  if (left) throw new Error(`fixture ${name} wants a value for ${left[0]}`);
  return text;
}

/** One replacement that must take place. */
export function edit(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`nothing to replace: ${from}`);
  return text.replace(from, () => to);
}

/** The sample application's text. */
export function sampleApp(): string {
  return readFileSync(join(SCRIPTS, "app/wsgi.py"), "utf8");
}
