#!/bin/sh
# For galera-boot.service, at every boot: brings this node back into its cluster after all database servers were stopped.
#
# MariaDB waits half a minute for the others and then gives up for good, and after a clean stop of all nobody starts the
# cluster. The node that Galera marked as the last to leave (safe_to_bootstrap) may, when every other one says that it
# is up and not synced: silence is no proof that there is no cluster, and a second one would split the data.
set -eu

HERE=$(cd "$(dirname "$0")" && pwd)
GALERA=/etc/ha-cluster/galera
GRASTATE=/var/lib/mysql/grastate.dat
LIMIT=900 # seconds
PAUSE=2

setting() { sed -n "s/^$1=//p" "$GALERA" | tr -d '"'; }

# peer ADDRESS: synced, waiting or silent.
peer() {
    if answer=$("$HERE/ask.sh" http "$1" 9200 / 3 2>&1); then
        echo synced
        return
    fi
    case $answer in
    *' 503 '*) echo waiting ;;
    *) echo silent ;;
    esac
}

peers() {
    for node in $(setting NODES); do [ "$node" = "$(setting NODE)" ] || peer "$node"; done | sort -u
}

restart() {
    systemctl reset-failed mariadb 2>/dev/null || :
    "$@" || echo "MariaDB does not start: see journalctl -u mariadb" >&2
}

waited=0
while [ "$waited" -lt $LIMIT ]; do
    case $(systemctl show -p ActiveState --value mariadb) in
    active) exit 0 ;;
    failed | inactive)
        found=$(peers)
        case $found in
        *synced*)
            echo "another node is synced: joining it"
            restart systemctl start mariadb
            ;;
        waiting)
            if grep -q '^safe_to_bootstrap: *1' $GRASTATE; then
                echo "this node was the last to leave, and all others wait: starting the cluster"
                restart galera_new_cluster
            fi
            ;;
        esac
        ;;
    esac
    sleep $PAUSE
    waited=$((waited + PAUSE))
done
echo "after $LIMIT s there is no cluster to return to: docs/recover.md of ha-cluster says what to do" >&2
exit 1
