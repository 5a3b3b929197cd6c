#!/bin/sh
# For keepalived's vrrp_script: 1 while this machine is to hand over its VIPs. A push sets the mark, or an
# operator: touch /run/ha-cluster/maintenance.
#
# It starts the drain first, and counts once the others know of that (drain.sh), a second or two later; whatever
# becomes of the drain, it counts after five.
set -eu
mark=/run/ha-cluster/maintenance
[ -e $mark ] || exit 0
if [ -e /run/ha-cluster/draining ] || [ ! -e /etc/ha-cluster/relay ]; then exit 1; fi
age=$(($(date +%s) - $(stat -c %Y $mark)))
if [ $age -lt 0 ] || [ $age -ge 5 ]; then exit 1; fi
systemctl start --no-block ha-cluster-drain
