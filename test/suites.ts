import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Part } from "./parts";

const ROOT = join(__dirname, "..");

function files(folder: string): string[] {
  return readdirSync(join(__dirname, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .sort()
    .map((name) => join(__dirname, folder, name));
}

function node(name: string, paths: string[], more: Partial<Part> = {}): Part {
  return { name, command: [process.execPath, ...paths], count: "node", ...more };
}

/** What needs neither root nor the embedded cloud. */
export function unit(): Part[] {
  const bin = (name: string): string => join(ROOT, "node_modules", ".bin", name);
  return [
    { name: "types", command: [bin("tsc"), "--project", ROOT], count: "exit" },
    { name: "lint", command: [bin("eslint"), "--max-warnings=0", ROOT], count: "exit" },
    { name: "format", command: [bin("prettier"), "--check", "--log-level=warn", join(ROOT, "**/*.ts")], count: "exit" },
    node("unit", files("unit")),
  ];
}

/** What needs the toolchain. */
export function toolchain(): Part[] {
  return [
    node("engine: bad stacks", files("engine")),
  ];
}

/** What needs root, and what needs the embedded cloud. */
export function lab(): Part[] {
  return [];
}
