#!/bin/sh
# For galera-boot.service, at every boot: brings this node back into its cluster after all database servers were stopped.
#
# MariaDB waits half a minute for the others and then gives up for good, and after a clean stop of all nobody starts the
# cluster. The node that Galera marked as the last to leave (safe_to_bootstrap) may, when every other one says that it
# is up, in no cluster, and has no more data.
set -eu

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/galera-history.sh"
LIMIT=900 # seconds
PAUSE=2
LONG_PAUSE=20 # until somebody has decided
UP_SECONDS=60 # a machine that is up for so long without a status service has none

# tell TEXT [GIST]: once, until the gist is another: TEXT but for what each node has, since the seqno of nodes that run moves
# all the time.
tell() {
    gist=${2-$(printf '%s\n' "$1" | sed '/^    /d')}
    [ "$gist" != "$TOLD" ] || return 0
    TOLD=$gist
    say "$1"
}
TOLD=

restart() {
    systemctl reset-failed mariadb 2>/dev/null || :
    "$@" || echo "MariaDB does not start: see journalctl -u mariadb" >&2
}

return_to_cluster() {
    recover_position
    without=silent
    [ $(($(clock) - BEGAN)) -lt $((UP_SECONDS * 100)) ] || without=nothing
    decide $without
    case $DECISION in
    join)
        if why=$("$HERE/galera-guard.sh" ask 2>&1); then
            tell "a cluster runs: joining it"
            restart systemctl start mariadb
        else
            tell "$why"
            sleep $LONG_PAUSE
        fi
        ;;
    found)
        tell "this node was the last to leave, and all others wait: starting the cluster"
        restart galera_new_cluster
        ;;
    # Nodes that have stopped find their position one by one.
    wait) tell "$WHY" "$WHY" ;;
    esac
}

BEGAN=$(clock)
while [ $(($(clock) - BEGAN)) -lt $((LIMIT * 100)) ]; do
    case $(systemctl show -p ActiveState --value mariadb) in
    active) exit 0 ;;
    failed | inactive) return_to_cluster ;;
    esac
    sleep $PAUSE
done
echo "after $LIMIT s there is no cluster to return to. See $NONE_RUNS." >&2
exit 1
