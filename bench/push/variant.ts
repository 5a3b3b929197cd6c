import { bundle, type ConfigFile, HEADER } from "../../render/bundle";

/** `base` is what the stack says, the others are changes of it that both sides push, there and back. */
export type Variant = "base" | "full" | "line";

/** Tables of `FIELD FIELD …` lines, whose readers know no comments: a line that comes twice says nothing new. */
const TABLES = /^\/etc\/ha-cluster\/(addresses|vips|listeners|probes|relay-peers)$/;

const NOTE = "# benchmark: as before, but for this line";

/**
 * The file after the change. `full` makes every file differ by a line that means nothing, so that each has to be validated,
 * installed and reloaded; `line` changes one timeout of haproxy.cfg.
 */
export function vary(file: ConfigFile, variant: Variant): ConfigFile {
  switch (variant) {
    case "base":
      return file;
    case "full":
      return { ...file, text: TABLES.test(file.path) ? withLastLineTwice(file.text) : `${file.text}${NOTE}\n` };
    case "line":
      return file.path === "/etc/haproxy/haproxy.cfg" ? { ...file, text: slower(file.text) } : file;
    default:
      return variant satisfies never;
  }
}

/** The same for all files of a bundle. */
export function varyBundle(text: string, variant: Variant): string {
  return bundle(files(text).map((file) => vary(file, variant)));
}

function withLastLineTwice(text: string): string {
  return `${text}${text.trimEnd().split("\n").at(-1)!}\n`;
}

function slower(text: string): string {
  const [before, after] = ["timeout server 60s", "timeout server 61s"];
  if (!text.includes(before)) throw new Error(`haproxy.cfg has no "${before}", which the benchmark changes`);
  return text.replace(before, after);
}

function files(text: string): ConfigFile[] {
  const sections = text.split(new RegExp(`^${HEADER}`, "m")).slice(1, -1);
  return sections.map((section) => {
    const [header, ...lines] = section.split("\n");
    const [path, mode] = header!.split(" ");
    return { path: path!, mode: mode as ConfigFile["mode"], text: lines.join("\n") };
  });
}
