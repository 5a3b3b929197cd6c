import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SCRIPTS } from "../plan/vrrp";
import { selfExtracting } from "../render/scripts";

export interface NodeFiles {
  /** Self-extracting text of all scripts of node/. */
  scripts: string;
  /** What lets a user in; see node/login. */
  login: string;
  /** The application that answers until one of the customer's is deployed. */
  sampleApp: string;
}

/** Come over SSH when they are wanted, and are never installed. */
const VISITORS = ["inspect", "login"];

/** Reads node/ beside this file. On a machine all scripts are in one folder, by their names alone. */
export function readNodeFiles(): NodeFiles {
  const paths = readdirSync(__dirname, { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".sh") && !VISITORS.includes(dirname(path)),
  );
  const scripts: Record<string, string> = {};
  for (const path of paths) {
    const name = basename(path);
    if (name in scripts) throw new Error(`two scripts of node/ are called ${name}`);
    scripts[name] = readFileSync(join(__dirname, path), "utf8");
  }
  return {
    scripts: selfExtracting(scripts, SCRIPTS),
    login: readFileSync(join(__dirname, "login", "login.sh"), "utf8"),
    sampleApp: readFileSync(join(__dirname, "app", "wsgi.py"), "utf8"),
  };
}
