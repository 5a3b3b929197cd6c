import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../operate/lab/places";
import { removeLeftovers } from "./lab/leftovers";
import type { Part } from "./parts";

function files(folder: string): string[] {
  return readdirSync(join(__dirname, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .sort()
    .map((name) => join(__dirname, folder, name));
}

function node(name: string, paths: string[], concurrency = 1): Part {
  return { name, command: [process.execPath, `--test-concurrency=${concurrency}`, ...paths], count: "node" };
}

function beside(part: Part): Part {
  return { ...part, beside: true };
}

/** What needs neither root nor the embedded cloud. */
export function unit(): Part[] {
  const bin = (name: string): string => join(ROOT, "node_modules", ".bin", name);
  return [
    beside({ name: "types", command: [bin("tsc"), "--project", ROOT], count: "exit" }),
    beside({ name: "lint", command: [bin("eslint"), "--max-warnings=0", ROOT], count: "exit" }),
    beside({
      name: "format",
      command: [bin("prettier"), "--check", "--log-level=warn", join(ROOT, "**/*.ts")],
      count: "exit",
    }),
    node("unit", files("unit")),
  ];
}

/** What needs tools that the tests install, and root for some of them, but not the embedded cloud. */
export function tools(): Part[] {
  const lab = join(ROOT, "lab", "test.sh");
  return [
    beside({ name: "shell lint", command: [join(ROOT, "test", "shellcheck.sh")], count: "exit" }),
    beside({ name: "lab: lint", command: [lab, "lint"], count: "exit" }),
    beside({ name: "lab: unit", command: [lab, "unit"], count: "pytest" }),
    beside({ name: "toolchain: plugins", command: [join(ROOT, "toolchain", "test.sh"), "-json"], count: "go" }),
    beside(node("engine: bad stacks", files("engine"))),
    beside(node("golden files by daemons", files("golden"))),
    // They wait most of the time.
    node("machines: pushes", files("node"), 3),
  ];
}

/** The files of one folder, in order, as parts. */
function cluster(): Part[] {
  return files("lab").map((path) => node(`cluster: ${/\d-(.+)\.test\.ts$/.exec(path)![1]!}`, [path]));
}

/** What takes too long for every run, on a cluster of its own; the upgrades build theirs. */
export function long(): Part[] {
  const named = (name: string): Part => cluster().find((part) => part.name === `cluster: ${name}`)!;
  const build = { ...named("build"), prepare: removeLeftovers };
  const parts = files("long").map((path) => node(`long: ${/([^/]+)\.test\.ts$/.exec(path)![1]!}`, [path]));
  const story = [named("ipv6-rollout"), ...parts, named("destroy")];
  return [build, ...story.map((part) => ({ ...part, needs: build.name })), node("long: upgrade", files("upgrade"))];
}

/** What needs the embedded cloud. The files are one story: the cluster is built in the first, and removed in the last. */
export function cloud(): Part[] {
  const [build, ...others] = cluster();
  const parts: Part[] = [
    { name: "lab: cloud", command: [join(ROOT, "lab", "test.sh"), "cloud"], count: "pytest" },
    build!,
    ...others.map((part) => ({ ...part, needs: build!.name })),
  ];
  const alone = ["lab: cloud", "cluster: build", "cluster: existing"];
  return parts.map((part) => (alone.includes(part.name) ? { ...part, prepare: removeLeftovers } : part));
}
