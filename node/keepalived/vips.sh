#!/bin/sh
# Where the VIPs are. Sourced by push.sh and drain.sh.
set -eu

# shellcheck disable=SC2034 # for those who source this
RUN=/run/ha-cluster       # marks that must not outlive a boot
VIPS=/etc/ha-cluster/vips # lines "INTERFACE ADDRESS/LENGTH"

# Any of them.
holds_vip() {
    [ -e $VIPS ] || return 1
    while read -r interface address; do
        [ -z "$(ip -o addr show dev "$interface" to "${address%/*}" 2>/dev/null)" ] || return 0
    done <$VIPS
    return 1
}

lacks_vips() { ! holds_vip; }
