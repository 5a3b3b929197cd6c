import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SCRIPTS } from "../plan/vrrp";
import { selfExtracting } from "../render/scripts";

export interface NodeFiles {
  /** Self-extracting text of all scripts of node/. */
  scripts: string;
  /** The application that answers until one of the customer's is deployed. */
  sampleApp: string;
}

/** Comes over SSH when somebody looks, and is never installed. */
const VISITORS = "inspect";

/** Reads node/ beside this file. On a machine all scripts are in one folder, by their names alone. */
export function readNodeFiles(): NodeFiles {
  const paths = readdirSync(__dirname, { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".sh") && dirname(path) !== VISITORS,
  );
  const scripts: Record<string, string> = {};
  for (const path of paths) {
    const name = basename(path);
    if (name in scripts) throw new Error(`two scripts of node/ are called ${name}`);
    scripts[name] = readFileSync(join(__dirname, path), "utf8");
  }
  return {
    scripts: selfExtracting(scripts, SCRIPTS),
    sampleApp: readFileSync(join(__dirname, "app", "wsgi.py"), "utf8"),
  };
}
