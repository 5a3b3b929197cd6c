import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { SCRIPTS } from "../plan/vrrp";
import { selfExtracting } from "../render/scripts";

export interface NodeFiles {
  /** Self-extracting text of all scripts of node/. */
  scripts: string;
  /** The application that answers until one of the customer's is deployed. */
  sampleApp: string;
}

/** Reads node/ beside this file. */
export function readNodeFiles(): NodeFiles {
  const directory = __dirname;
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".sh"));
  const scripts = Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), "utf8")]));
  return {
    scripts: selfExtracting(scripts, SCRIPTS),
    sampleApp: readFileSync(join(directory, "app", "wsgi.py"), "utf8"),
  };
}
