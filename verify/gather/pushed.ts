import { SCRIPTS } from "../../plan/vrrp";
import type { Part } from "../finding";

/** One file that the last deployment put on a machine. */
export interface PushedFile {
  path: string;
  /** Octal without leading zeros, as stat(1) prints it. */
  mode: string;
  owner: string;
  text: string;
  part: Part;
}

const HEADER = /^==> (\S+) (\d+) (\S+)$/;

/** The files of a bundle; the reverse of render/bundle.ts. */
export function filesOfBundle(bundle: string, part: Part): PushedFile[] {
  const files: PushedFile[] = [];
  for (const line of bundle.split("\n")) {
    if (line === "==> end") break;
    const [, path, mode, owner] = HEADER.exec(line) ?? [];
    if (path !== undefined) files.push({ path, mode: plain(mode!), owner: owner!, text: "", part });
    else if (files.length > 0) files.at(-1)!.text += `${line}\n`;
  }
  return files;
}

const INSTALLED = /^install_script (\S+) <<'(\S+)'\n([\s\S]*?^)\2$/gm;

/** The scripts of a self-extracting text; the reverse of render/scripts.ts. */
export function filesOfScripts(text: string): PushedFile[] {
  return [...text.matchAll(INSTALLED)].map(([, name, , script]) => ({
    path: `${SCRIPTS}/${name!}`,
    mode: "755",
    owner: "root:root",
    text: script!,
    part: "scripts",
  }));
}

function plain(mode: string): string {
  return parseInt(mode, 8).toString(8);
}
