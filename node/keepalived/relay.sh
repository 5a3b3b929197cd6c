#!/bin/sh
# The way by which the load balancer that has the VIPs passes on what belongs to one that drains (drain.sh): a VXLAN
# between the internal addresses. A tunnel, as a hypervisor lets nobody send from a client's address, and the
# internal network has no IPv6.
#
#   relay.sh up    as /etc/ha-cluster/relay says; changes nothing when it is so
#   relay.sh down  takes everything away again
set -eu

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

SETTINGS=/etc/ha-cluster/relay
PEERS=/etc/ha-cluster/relay-peers # lines "INTERNAL MAC LINK-LOCAL"
RULES=/etc/ha-cluster/relay.nft

DEVICE=ha-relay # also in relay.nft
VNI=6801
DELIVER=6801 RELAY=6802 # routing tables, and the preferences of the rules that lead to them

up() {
    families=$(setting $SETTINGS FAMILIES)
    make_device "$(setting $SETTINGS INTERNAL)" "$(setting $SETTINGS MAC)" "$(setting $SETTINGS PORT)"
    for family in $families; do
        make_routes "$family"
    done
    while read -r internal mac link_local; do
        bridge fdb replace "$mac" dev $DEVICE dst "$internal"
        ip neigh replace "$internal" lladdr "$mac" nud permanent dev $DEVICE
        case $families in *6*) ip neigh replace "$link_local" lladdr "$mac" nud permanent dev $DEVICE ;; esac
    done <$PEERS
    case $families in *6*) ;; *) nft delete table ip6 ha_cluster_relay 2>/dev/null || : ;; esac
    nft -f $RULES
}

# make_device INTERNAL MAC PORT
#
# No lower device is named: the kernel would then keep the MTU below that one's. What doesn't fit goes in
# fragments, rather than making clients learn a smaller MTU for the sake of a handover.
make_device() {
    shown=$(ip -d -o link show $DEVICE 2>/dev/null) || shown=
    case $shown in
    *"link/ether $2 "*"vxlan id $VNI local $1 "*"dstport $3 "*) ;;
    *)
        [ -z "$shown" ] || ip link del $DEVICE
        ip link add $DEVICE address "$2" type vxlan id $VNI local "$1" dstport "$3" nolearning
        ;;
    esac
    ip link set $DEVICE mtu "$(cat "/sys/class/net/$(setting $SETTINGS MTU_OF)/mtu")" arp off up
    accept_any_sender
}

# Clients' packets come from where no route leads back: no reverse path filter on this device. The kernel
# takes the stricter of the device's own and of "all", so the latter moves to the other devices.
accept_any_sender() {
    conf=/proc/sys/net/ipv4/conf
    all=$(cat $conf/all/rp_filter)
    if [ "$all" != 0 ]; then
        for filter in "$conf"/*/rp_filter; do
            [ "$(cat "$filter")" -ge "$all" ] || echo "$all" >"$filter"
        done
        echo 0 >$conf/all/rp_filter
    fi
    echo 0 >$conf/$DEVICE/rp_filter
}

# make_routes FAMILY: marked packets are for this machine whatever their address; next hops on the relay device
# are looked up there.
make_routes() {
    ip "-$1" route replace local default dev lo table $DELIVER
    ip "-$1" route replace default dev $DEVICE table $RELAY mtu lock "$(cat /sys/class/net/$DEVICE/mtu)"
    make_rule "$1" $DELIVER fwmark "$(setting $SETTINGS DELIVER_MARK)"
    make_rule "$1" $RELAY oif $DEVICE
}

# make_rule FAMILY TABLE SELECTOR…: with the table's number for its preference.
make_rule() {
    family=$1 table=$2
    shift 2
    case "$(ip "-$family" rule show pref "$table")" in
    *" $* lookup $table"*) ;;
    *)
        remove_rule "$family" "$table"
        ip "-$family" rule add "$@" lookup "$table" pref "$table"
        ;;
    esac
}

remove_rule() {
    while ip "-$1" rule del pref "$2" 2>/dev/null; do :; done
}

down() {
    for family in inet ip ip6; do nft delete table "$family" ha_cluster_relay 2>/dev/null || :; done
    for family in 4 6; do
        for table in $DELIVER $RELAY; do
            remove_rule "$family" "$table"
            ip "-$family" route flush table "$table" 2>/dev/null || :
        done
    done
    ip link del $DEVICE 2>/dev/null || :
}

case "$1" in
up) up ;;
down) down ;;
*)
    echo "usage: relay.sh up|down" >&2
    exit 2
    ;;
esac
