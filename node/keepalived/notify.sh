#!/bin/sh
# For keepalived's notify, of the sync group: notify.sh GROUP|INSTANCE NAME STATE PRIORITY.
#
# Keeps /run/ha-cluster/master (see check-master.sh) and /run/ha-cluster/group-NAME with the state, for whoever
# asks. keepalived does not wait for one notify before it starts the next: the lock keeps them apart.
set -eu
umask 022
kind=$1 name=$2 state=$3
mkdir -p /run/ha-cluster
if [ "$kind" = GROUP ]; then
    exec 9>/run/ha-cluster/notify.lock
    flock -w 5 9
    case $state in
    MASTER) : >/run/ha-cluster/master ;;
    *) rm -f /run/ha-cluster/master ;;
    esac
    echo "$state" >"/run/ha-cluster/group-$name.new"
    mv "/run/ha-cluster/group-$name.new" "/run/ha-cluster/group-$name"
fi
logger -t ha-cluster -p daemon.notice "keepalived: $kind $name is now $state"
