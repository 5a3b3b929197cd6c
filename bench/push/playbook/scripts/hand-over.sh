#!/bin/sh
# Another load balancer takes the VIPs over before this one is touched.
set -eu
[ -e /run/ha-cluster/master ] || exit 0
: >/run/ha-cluster/maintenance
! systemctl cat ha-cluster-drain >/dev/null 2>&1 || systemctl restart ha-cluster-drain
holds() {
    while read -r interface address; do
        [ -z "$(ip -o addr show dev "$interface" to "${address%/*}")" ] || return 0
    done </etc/ha-cluster/vips
    return 1
}
left=120
while holds && [ "$left" -gt 0 ]; do
    left=$((left - 1))
    sleep 0.1
done
