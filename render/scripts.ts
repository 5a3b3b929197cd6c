/** The scripts of node/ by their names. */
export type Scripts = Record<string, string>;

const MARK = "HA-CLUSTER-END-OF-SCRIPT";

/**
 * All scripts of node/ as one shell script that installs them in `directory`: readable line by line in a preview, and in
 * need of nothing but sh on the machine. Each is renamed into place, so that keepalived never runs half a check; one that
 * is no longer among them goes. The braces make it all or nothing: a shell takes the end of a text that was cut on its way for the end of
 * a here-document, and would install half a script.
 */
export function selfExtracting(scripts: Scripts, directory: string): string {
  const names = Object.keys(scripts).sort();
  for (const name of names) {
    if (scripts[name]!.split("\n").includes(MARK)) throw new Error(`${name} has a line ${MARK}`);
  }
  return `{
set -eu
umask 022
mkdir -p ${directory}
cd ${directory}
install_script() {
    cat >"$1.new"
    chmod 0755 "$1.new"
    mv -f "$1.new" "$1"
}
${names.map((name) => `install_script ${name} <<'${MARK}'\n${withNewline(scripts[name]!)}${MARK}\n`).join("")}for script in *; do
    case " ${names.join(" ")} " in *" $script "*) ;; *) rm -f "$script" ;; esac
done
}
`;
}

function withNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
