#!/bin/sh
# Whether MariaDB may start here without giving data up: 0, or 1 and why not. Before every start of mariadb.service, whoever asks
# for it (`start`, with what the unit gets in its environment), and before a push or galera-boot tries one (`ask`).
#
#   galera-guard.sh start|ask [FACTS]    FACTS instead of /etc/ha-cluster/galera
set -eu

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/galera-history.sh"
GALERA=${2:-$GALERA}
SILENCE_SECONDS=10
CATCH_UP_SECONDS=20 # a node of the cluster applies what this one has applied before it left

refuse() {
    fail "MariaDB is not started, so that no data is lost: $1.
$(nodes_say)
See $REFUSES."
}

# committed: the highest seqno of the cluster that runs.
committed() { printf '%s\n' "$TABLE" | awk '$2 == "primary" { split($3, part, ":"); print part[2] }' | sort -n | tail -n 1; }

caught_up() {
    TABLE=$(ask_peers)
    seen=$(committed)
    case $seen in '' | *[!0-9]*) return 0 ;; esac
    [ "$seen" -ge "$1" ]
}

may_found() {
    runs=$(of_table 'mode == "primary"')
    [ -z "$runs" ] || refuse "a cluster runs already, on $runs: join it (systemctl start mariadb)"
    if [ "$MINE" = nothing ]; then
        decide nothing
        [ "$DECISION" = found ] || fail "$WHY"
    fi
    # Those that are stopped are asked when they start. One that waits for a cluster takes any.
    for peer in $(of_table "$OTHER_DATA || $MORE_DATA" "${MINE%:*}" "${MINE#*:}"); do
        [ "$("$HERE/ask.sh" tcp "$peer" $GALERA_PORT 2)" = closed ] ||
            refuse "$peer waits for a cluster and would give its own data up for this one's: stop MariaDB there first"
    done
}

may_join() {
    clusters=$(printf '%s\n' "$TABLE" | awk '$2 == "primary" && $3 != "unknown" { sub(/:.*/, "", $3); print $3 }' | sort -u)
    [ "$(printf '%s\n' "$clusters" | wc -l)" -eq 1 ] || refuse "two clusters run, $(printf '%s\n' "$clusters" | paste -s -d ' ')"
    if [ "$MINE" = nothing ] || [ -z "$clusters" ]; then return 0; fi
    own=${MINE%:*} seqno=${MINE#*:}
    [ "$clusters" = "$own" ] || refuse "it has data of cluster $own, and cluster $clusters runs, which would replace it"
    if [ "$seqno" = unknown ]; then
        # It runs, and is asked whether it might be started again: its data is the cluster's.
        [ "$(systemctl show -p MainPID --value mariadb)" = 0 ] || return 0
        seqno=$(recovered "$own")
        [ -n "$seqno" ] || return 0
        MINE=$own:$seqno
    fi
    wait_for $CATCH_UP_SECONDS caught_up "$seqno" ||
        refuse "it has transactions up to $seqno, and the cluster that runs only up to $(committed)"
}

# all_said: whether the silence of some does not matter. MariaDB looks for a cluster longer than they are asked.
all_said() {
    TABLE=$(ask_peers)
    [ -n "$(of_table 'mode == "primary"')" ] || [ -z "$(of_table 'mode == "silent"')" ]
}

[ "$1" != start ] || rm -f $POSITION
MINE=$(position_on_disk)
if [ "$MINE" = nothing ]; then TABLE=$(ask_peers); else wait_for $SILENCE_SECONDS all_said || :; fi
if [ "$1" = start ] && [ -n "${_WSREP_NEW_CLUSTER-}" ]; then may_found; else may_join; fi
# Data has come to this machine: whatever becomes of it, no other cluster is founded here.
if [ "$1" = start ] && [ "$MINE" != nothing ]; then rm -f "$MAY_FOUND"; fi
