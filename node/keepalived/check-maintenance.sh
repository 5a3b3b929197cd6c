#!/bin/sh
# For keepalived's vrrp_script: 1 while this machine is to hand over its VIPs. A push sets the mark, or an
# operator: touch /run/ha-cluster/maintenance.
[ ! -e /run/ha-cluster/maintenance ]
