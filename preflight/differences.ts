import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Secrets } from "../config/spec";
import type { Fleet } from "../operate/fleet";
import type { Plan, PlannedLoadBalancer } from "../plan/plan";
import type { ConfigFile } from "../render/bundle";
import { loadBalancerFiles, loadBalancerSecretFiles } from "../render/files";

/** The functions that a push itself uses; they hide passwords before anything leaves the host. */
const DIFFERENCES = readFileSync(join(__dirname, "..", "node", "adopt", "differences.sh"), "utf8");

/** What the first push changes in the files of one host. */
export interface Differences {
  host: string;
  /** Unified diffs, and a line for each secret and each mode or owner; empty where nothing changes. */
  text: string;
  /** Why it could not be looked at. */
  unreachable?: string;
}

/** Runs a script on a host and gives what it prints; rejects with the reason where that fails. */
export type Ask = (script: string, input?: string) => Promise<string>;

/** Reads the files of one host, and writes none. */
export async function differences(
  fleet: Fleet,
  plan: Plan,
  node: PlannedLoadBalancer,
  secrets: Secrets,
): Promise<Differences> {
  const host = node.hostname;
  const ask: Ask = async (script, input = "") => {
    const { code, stdout, stderr } = await fleet.run(host, script, { input });
    if (code !== 0) throw new Error(stderr.trim() || `ssh ended with ${code}`);
    return stdout;
  };
  // Of these only the paths count: what is in them stays here.
  const paths = loadBalancerSecretFiles(plan, "", {}).map(({ path }) => path);
  try {
    const text = await textOf(ask, loadBalancerFiles(plan, node), paths);
    return { host, text: hide(text, secrets.vrrpPassword) };
  } catch (error) {
    return { host, text: "", unreachable: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Each file found against its new text, one after the other: no more than a connection takes at once (sshd's MaxSessions).
 *
 * @param secretPaths are named and not looked into
 */
export async function textOf(ask: Ask, files: readonly ConfigFile[], secretPaths: readonly string[]): Promise<string> {
  let text = "";
  for (const { path, mode, text: content } of files)
    text += await ask(`${DIFFERENCES}\nrights ${path} ${mode}\ndifference ${path}`, content);
  return text + (await ask(`${DIFFERENCES}\n${secretPaths.map((path) => `secret ${path}`).join("\n")}`));
}

/** A password that the stack knows, wherever it is; a shorter one may be any word (see redact in node/push/common.sh). */
function hide(text: string, password: string | undefined): string {
  return password === undefined || password.length < 6 ? text : text.replaceAll(password, "***");
}
