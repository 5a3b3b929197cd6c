/** Shell, run as root. */
export interface Scripts {
  begin: string;
  /** Runs in any case, also when `begin` failed half-way: it has to pass over what is not there. */
  end: string;
}

/** In memory: nothing of a fault survives a reboot. */
export const HOME = "/run/ha-cluster-fault";
const UNIT = "ha-cluster-fault.service";

/**
 * Shell that has systemd make a fault at a moment, and undo it `seconds` later, or when it is stopped before: also on a
 * machine that nobody can reach any more.
 *
 * @param at seconds since the epoch, by the machine's clock
 */
export function startScript({ begin, end }: Scripts, at: number, seconds: number): string {
  const patience = 15;
  return `set -eu
systemctl stop ${UNIT} 2>/dev/null || :
rm -rf ${HOME}
mkdir -m 0700 ${HOME}
${file(
  `${HOME}/run`,
  `perl -MTime::HiRes=time -e '
    my $wait = ${at.toFixed(3)} - time;
    exit 1 if $wait > ${patience};
    select(undef, undef, undef, $wait) if $wait > 0'
date +%s%3N >${HOME}/began.new
${begin}
mv ${HOME}/began.new ${HOME}/began
sleep ${seconds}`,
)}
${file(
  `${HOME}/end`,
  `${end}
date +%s%3N >${HOME}/ended`,
)}
${file(
  `/run/systemd/system/${UNIT}`,
  `[Unit]
Description=A fault made on purpose, to see the cluster survive it; ends by itself

[Service]
ExecStart=/bin/sh -eu ${HOME}/run
ExecStopPost=/bin/sh ${HOME}/end
RuntimeMaxSec=${seconds + patience}`,
)}
systemctl daemon-reload
systemctl start --no-block ${UNIT}`;
}

/** Shell that ends the fault, waits until that is done, and prints when it had begun and ended, in milliseconds. */
export function stopScript(): string {
  return `systemctl stop ${UNIT} 2>/dev/null || :
cat ${HOME}/began ${HOME}/ended 2>/dev/null || echo never
if [ -e /run/systemd/system/${UNIT} ]; then
    rm -f /run/systemd/system/${UNIT}
    systemctl daemon-reload
    systemctl reset-failed ${UNIT} 2>/dev/null || :
fi`;
}

function file(path: string, text: string): string {
  return `cat >${path} <<'END_OF_FILE'
${text}
END_OF_FILE`;
}
