#!/bin/sh
# leave.sh: gives a load balancer back to whoever built it, as it was. Runs as root, and may run again after a failure.
#
# Others take the VIPs; the old files return with mode and owner, the daemons run on them again and have to listen where
# they did; then everything of ours goes.
set -eu
umask 077
trap '' HUP PIPE

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/store.sh"
. "$HERE/vips.sh"
. "$HERE/haproxy.sh"
. "$HERE/keepalived.sh"
. "$HERE/originals.sh"
ADDRESSES=/etc/ha-cluster/addresses # lines "INTERFACE ADDRESS/LENGTH GATEWAY|-"

finish() {
    code=$?
    end_handover
    rm -rf "$INCOMING"
    exit $code
}

# An address or a gateway that was there before is not ours to take away.
drop_our_addresses() {
    [ -e "$ORIGINAL/ours" ] || return 0
    while read -r interface address gateway; do
        grep -qxF "$interface $address" "$ORIGINAL/addresses" || ip addr del "$address" dev "$interface" 2>/dev/null || :
        [ "$gateway" = - ] || grep -qxF "$interface via $gateway" "$ORIGINAL/addresses" ||
            ip route del default via "$gateway" dev "$interface" 2>/dev/null || :
    done <"$ORIGINAL/ours"
}

validate_haproxy_found() {
    if [ -e "$ORIGINAL/root$HAPROXY_CONFIG" ] && ! haproxy -c -f $HAPROXY_CONFIG >"$INCOMING/judgement" 2>&1 </dev/null; then
        fail "haproxy refuses the file it had before; it goes on with ours, mend this and destroy again:
$(sed 's/^/    /' "$INCOMING/judgement")"
    fi
}

mkdir -p "$STATE"
exec 9>"$STATE/lock"
flock -w 120 9 || fail "a push has been running on this host for two minutes: wait for it, then destroy again"
mkdir -p "$INCOMING"
trap finish EXIT
if adopted; then
    handover
    if [ -e $ADDRESSES ]; then cp $ADDRESSES "$ORIGINAL/ours"; fi
    restore_originals
    validate_haproxy_found
    systemctl daemon-reload
    restore_units
    drop_our_addresses
    say "given back: $(wc -l <"$ORIGINAL/kept") paths are as they were; $(paste -s -d ';' "$ORIGINAL/units")"
fi
trap - EXIT
rm -rf /run/ha-cluster "$STATE"
rm -rf "$HERE"
