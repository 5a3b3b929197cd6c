#!/bin/sh
# For keepalived's vrrp_script with a positive weight: 0 while this machine is master, so that it stays master
# when one with a higher priority returns. notify.sh keeps the mark.
[ -e /run/ha-cluster/master ]
