#!/bin/sh
# For keepalived.service, ExecStartPre and ExecStopPost: no VIP stays on a machine whose keepalived is gone.
#
# A killed keepalived leaves its VIPs behind, and then two machines answer for them; the new keepalived would take them
# for its own. /etc/ha-cluster/vips has lines "INTERFACE ADDRESS/LENGTH".
set -eu
rm -f /run/ha-cluster/master /run/ha-cluster/group-*
[ -e /etc/ha-cluster/vips ] || exit 0
while read -r interface address; do
    ip addr del "$address" dev "$interface" 2>/dev/null || :
done </etc/ha-cluster/vips
