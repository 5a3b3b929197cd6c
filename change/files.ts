import type { Plan } from "../plan/plan";
import { inTransition } from "../plan/transition";
import { bundle, type ConfigFile } from "../render/bundle";
import { appServerFiles, databaseFiles, loadBalancerFiles } from "../render/files";
import type { PlannedServer } from "./change";
import type { Move } from "./moves";

/** What a server's configuration push will carry, by server id; `sample` as in {@link appServerFiles}. */
export function bundlesOf(plan: Plan, sample: string): Record<string, string> {
  const bundles: Record<string, string> = {};
  for (const node of plan.loadBalancers) bundles[node.id] = bundle(loadBalancerFiles(plan, node));
  for (const node of plan.databases) bundles[node.id] = bundle(databaseFiles(plan, node));
  for (const node of plan.appServers) bundles[node.id] = bundle(appServerFiles(plan, node, sample));
  return bundles;
}

/** What a push for the time between old and new carries; `sample` as in {@link appServerFiles}. */
export function filesBetween(plan: Plan, node: PlannedServer, move: Move, sample: string): ConfigFile[] {
  switch (node.role) {
    case "load-balancer": {
      const between = inTransition(plan, node, move.transition!);
      return loadBalancerFiles(between.plan, between.node);
    }
    case "database":
      return databaseFiles(plan, node);
    case "app-server":
      return appServerFiles(plan, node, sample, move.former);
  }
}

/** Paths of the files that differ between two bundles, or are in one alone; sorted. */
export function changedFiles(before: string, after: string): string[] {
  const [old, now] = [filesOf(before), filesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((path) => old.get(path) !== now.get(path)).sort();
}

/** One file's text in a bundle, with its header; empty where it has none of that path. */
export function fileIn(text: string, path: string): string {
  return filesOf(text).get(path) ?? "";
}

function filesOf(text: string): Map<string, string> {
  const files = new Map<string, string>();
  let path: string | undefined;
  for (const line of text.split("\n")) {
    const header = /^==> (\S+)/.exec(line);
    if (header) path = header[1]!;
    if (path !== undefined && path !== "end") files.set(path, `${files.get(path) ?? ""}${line}\n`);
  }
  return files;
}
