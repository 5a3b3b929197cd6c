#!/bin/sh
# /etc/network/interfaces is what the next boot does; this is the same for the running machine.
set -eu
while read -r interface address gateway; do
    ip addr replace "$address" dev "$interface"
    [ "$gateway" = - ] || ip route replace default via "$gateway" dev "$interface"
done </etc/ha-cluster/addresses
