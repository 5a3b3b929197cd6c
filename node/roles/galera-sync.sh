#!/bin/sh
# Waits until MariaDB is a synced node, however long a state transfer takes that proceeds. Sourced by push.sh.
set -eu

SYNC_SECONDS=180 # without any progress
JOIN_SECONDS=700 # of a push, which is stopped from outside after 900 (components/remote.ts)
DATA=/var/lib/mysql
JOINER='wsrep_sst_[a-z_]* --role joiner'

# The shell around them reads and writes while nothing moves.
MOVERS='rsync_sst|mbstream|mariadb-backup|mariabackup|socat'

synced() {
    [ "$(wsrep local_state)" = 4 ] && [ "$(wsrep ready)" = ON ] && [ "$(wsrep cluster_status)" = Primary ]
}

# started_and_synced OLD_PID: 2 when systemd has given up.
started_and_synced() {
    case $(mariadb_state) in
    failed | inactive) return 2 ;;
    esac
    pid=$(systemctl show -p MainPID --value mariadb)
    [ "$pid" != 0 ] && [ "$pid" != "$1" ] && synced
}

# transferring: whether this node is getting all of the cluster's data. joining: that, or what it lacks of it.
transferring() { [ "$(mariadb_state)" = activating ] && pgrep -f -- "$JOINER" >/dev/null; }

joining() {
    ! transferring || return 0
    case $(wsrep local_state_comment) in Joining* | Joined) ;; *) return 1 ;; esac
}

# moved: changes as long as data comes in.
moved() {
    du -sk $DATA 2>/dev/null | cut -f 1
    for pid in $(pgrep -f -- "$MOVERS"); do cat "/proc/$pid/io" 2>/dev/null || :; done
    wsrep last_committed
}

# wait_for_sync OLD_PID
wait_for_sync() {
    last='' still=$(clock)
    while :; do
        answer=0
        wait_for 2 started_and_synced "$1" || answer=$?
        case $answer in
        0) return ;;
        2) fail "MariaDB does not start:
$(last_words mariadb)" ;;
        esac
        now=$(moved)
        if [ "$now" != "$last" ]; then last=$now still=$(clock); fi
        [ $(($(clock) - still)) -lt $((SYNC_SECONDS * 100)) ] || give_up
        [ $(($(clock) - BEGAN)) -lt $((JOIN_SECONDS * 100)) ] || leave_join
    done
}

# stop_transfer: MariaDB ends by itself when its transfer does, and says goodbye. If it is killed, the donor takes it for lost, and
# where there is no third node it has lost its majority with it.
stop_transfer() {
    systemctl stop --no-block mariadb # or systemd starts it again
    # shellcheck disable=SC2046 # one word per process
    kill $(pgrep -f -- "$JOINER|$MOVERS") 2>/dev/null || :
    wait_for 20 mariadb_stopped || :
    stop_mariadb
}

give_up() {
    stuck="MariaDB is not synced, and nothing has moved for $SYNC_SECONDS s (wsrep_local_state: $(wsrep local_state_comment))."
    if transferring; then
        stop_transfer
        fail "$stuck
The state transfer was stopped; the next push starts another. What it last said:
$(last_words mariadb)"
    fi
    fail "$stuck
$(way_out)
$(last_words mariadb)"
}

# leave_join: before the push is stopped from outside.
leave_join() {
    joining || fail "MariaDB is not synced after $JOIN_SECONDS s:
$(last_words mariadb)"
    join_words >&2
    exit "$GOES_ON"
}

join_words() {
    echo "this node is still getting the cluster's data ($(du -sh $DATA 2>/dev/null | cut -f 1) are here). The join goes on by itself; run up again."
}
