/** The scripts of node/ by their paths in it. */
export type Scripts = Record<string, string>;

const MARK = "HA-CLUSTER-END-OF-SCRIPT";

/**
 * All scripts of node/ as one shell script that installs them in `directory`: readable line by line in a preview, and in
 * need of nothing but sh on the machine. Each is renamed into place, so that keepalived never runs half a check.
 */
export function selfExtracting(scripts: Scripts, directory: string): string {
  const names = Object.keys(scripts).sort();
  for (const name of names) {
    if (scripts[name]!.split("\n").includes(MARK)) throw new Error(`${name} has a line ${MARK}`);
  }
  return `set -eu
umask 022
install_script() {
    mkdir -p "$(dirname "${directory}/$1")"
    cat >"${directory}/$1.new"
    chmod 0755 "${directory}/$1.new"
    mv -f "${directory}/$1.new" "${directory}/$1"
}
${names.map((name) => `install_script ${name} <<'${MARK}'\n${withNewline(scripts[name]!)}${MARK}\n`).join("")}`;
}

function withNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
