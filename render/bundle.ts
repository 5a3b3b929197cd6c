/** One file as it shall stand on a machine. */
export interface ConfigFile {
  path: string;
  /** Octal, as chmod takes it; 0644 unless it holds a secret. */
  mode: "0644" | "0600";
  text: string;
}

/** One that anybody may read. */
export function file(path: string, text: string): ConfigFile {
  return { path, mode: "0644", text };
}

/** Starts the line before each file of a bundle. */
export const HEADER = "==> ";

/**
 * Files as one plain text that node/push.sh reads on stdin, and of which `pulumi preview --diff` shows the very lines that
 * change. The last line tells a whole bundle from one that a broken connection cut.
 */
export function bundle(files: readonly ConfigFile[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return [...sorted.map(section), `${HEADER}end\n`].join("");
}

function section(file: ConfigFile): string {
  const text = file.text.endsWith("\n") ? file.text : `${file.text}\n`;
  if (text.split("\n").some((line) => line.startsWith(HEADER))) {
    throw new Error(`${file.path} has a line that starts with "${HEADER}", which separates the files of a bundle`);
  }
  return `${HEADER}${file.path} ${file.mode} root:root\n${text}`;
}
