#!/bin/sh
# shellcheck disable=SC1091,SC2153 # files of the machine
# Only while the other nodes are synced, and until this one is again.
set -eu
synced() { curl --silent --fail --output /dev/null --max-time 3 "http://$1:9200/"; }
. /etc/ha-cluster/galera
for node in $NODES; do
    [ "$node" = "$NODE" ] || synced "$node"
done
systemctl restart mariadb
left=1800
until synced "$NODE"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || exit 1
    sleep 0.1
done
