#!/bin/sh
# For keepalived's notify, of the sync group: notify.sh GROUP|INSTANCE NAME STATE PRIORITY.
#
# Keeps /run/ha-cluster/master (see check-master.sh) and /run/ha-cluster/group-NAME with the state, for whoever
# asks. keepalived does not wait for one notify before it starts the next: the lock keeps them apart, but they may get it in
# any order. When two backups take over within a few milliseconds, one yields at once, and its older MASTER must not come last.
set -eu
umask 022
kind=$1 name=$2 state=$3
mkdir -p /run/ha-cluster
if [ "$kind" = GROUP ]; then
    # When this process was forked (proc(5), stat, field 22, in ticks), then its pid: together they order the notifies.
    read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ started _ </proc/$$/stat
    exec 9>/run/ha-cluster/notify.lock
    flock -w 5 9
    last="/run/ha-cluster/notify-$name"
    if [ -e "$last" ] && read -r ticks pid <"$last" &&
        { [ "$ticks" -gt "$started" ] || { [ "$ticks" -eq "$started" ] && [ "$pid" -gt $$ ]; }; }; then
        logger -t ha-cluster -p daemon.notice "keepalived: $kind $name was $state, which is over"
        exit 0
    fi
    echo "$started $$" >"$last"
    case $state in
    MASTER) : >/run/ha-cluster/master ;;
    *) rm -f /run/ha-cluster/master ;;
    esac
    echo "$state" >"/run/ha-cluster/group-$name.new"
    mv "/run/ha-cluster/group-$name.new" "/run/ha-cluster/group-$name"
fi
logger -t ha-cluster -p daemon.notice "keepalived: $kind $name is now $state"
