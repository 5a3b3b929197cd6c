#!/bin/sh
# Addresses, routes, kernel settings and the firewall, on machines of every role. Sourced by push.sh.
#
# /etc/network/interfaces is what the next boot does. A running machine is brought to the same state
# from /etc/ha-cluster/addresses, without taking an interface down: ifdown would cut every
# connection, this push's own as well.
set -eu

ADDRESSES=/etc/ha-cluster/addresses # lines "INTERFACE ADDRESS/LENGTH GATEWAY|-"
FIREWALL=/etc/nftables.conf
SYSCTL=/etc/sysctl.d/50-ha-cluster.conf

CLOUD_INIT_INTERFACES=/etc/network/interfaces.d/50-cloud-init
CLOUD_INIT_SETTING=/etc/cloud/cloud.cfg.d/99-ha-cluster-network.cfg

# take_over_from_cloud_init LIST TREE: whoever brings /etc/network/interfaces owns the network. cloud-init's
# file for the same interfaces would make ifup fail at boot, and cloud-init would write it anew.
take_over_from_cloud_init() {
    listed /etc/network/interfaces "$1" || return 0
    [ -d "${CLOUD_INIT_SETTING%/*}" ] || return 0
    mkdir -p "$2${CLOUD_INIT_SETTING%/*}"
    printf '# ha-cluster renders /etc/network/interfaces\nnetwork: {config: disabled}\n' >"$2$CLOUD_INIT_SETTING"
    echo "0644 root:root $CLOUD_INIT_SETTING" >>"$1"
}

# list_cloud_init_changes LIST: in the form of list_changes.
list_cloud_init_changes() {
    if listed /etc/network/interfaces "$1" && exists $CLOUD_INIT_INTERFACES; then
        echo "removed $CLOUD_INIT_INTERFACES"
    fi
}

# reload_units: systemd reads the unit files that changed.
reload_units() { ! changed '/etc/systemd/system/*' || systemctl daemon-reload; }

network_apply() {
    if changed $ADDRESSES; then apply_addresses; fi
    if changed $SYSCTL && [ -e $SYSCTL ]; then
        # Names that only an older file set keep their value until the next boot.
        sysctl -q -p $SYSCTL
        say "kernel settings: loaded"
    fi
    if changed $FIREWALL; then apply_firewall; fi
}

# New ones first, so that the machine is reachable all the time.
apply_addresses() {
    gone $ADDRESSES >"$INCOMING/gone-addresses"
    [ ! -e $ADDRESSES ] || set_addresses
    while read -r interface address gateway; do
        # Another line may still have the address, or the gateway.
        to_keep "$interface $address" || drop_address "$interface" "$address"
        if [ "$gateway" != - ] && ! to_keep "$interface via $gateway"; then
            ip route del default via "$gateway" dev "$interface" 2>/dev/null || :
        fi
    done <"$INCOMING/gone-addresses"
    [ -e $ADDRESSES ] || return 0
    set_addresses
    wait_for 10 addresses_usable ||
        fail "IPv6 addresses are not usable after 10 s: $(ip -6 -o addr show tentative | awk '{ print $2, $4 }')"
    say "addresses: $(wc -l <$ADDRESSES) set, $(wc -l <"$INCOMING/gone-addresses") gone"
}

# note_found: before anything changes. After an interrupted push the older note holds.
note_found() {
    [ ! -e "$FOUND" ] || return 0
    set_by_us >"$INCOMING/set-by-us"
    {
        ip -o addr show | awk '{ print $2, $4 }'
        { ip -4 route show default && ip -6 route show default; } |
            awk '$2 == "via" && $4 == "dev" { print $5, "via", $3 }'
    } | { grep -vxF -f "$INCOMING/set-by-us" || :; } >"$FOUND"
}

# set_by_us: what $ADDRESSES says, in the form of $FOUND.
set_by_us() {
    [ ! -e $ADDRESSES ] || awk '{ print $1, $2; if ($3 != "-") print $1, "via", $3 }' $ADDRESSES
}

to_keep() { { set_by_us && cat "$FOUND"; } | grep -qxF "$1"; }

set_addresses() {
    while read -r interface address gateway; do
        [ -d "/sys/class/net/$interface" ] ||
            fail "this machine has no interface $interface; it has: $(ls /sys/class/net)"
        ip link set "$interface" up
        ip addr replace "$address" dev "$interface"
        [ "$gateway" = - ] || ip route replace default via "$gateway" dev "$interface"
    done <$ADDRESSES
}

# Removing the first address of a subnet takes the others with it, unless the kernel promotes them.
drop_address() {
    echo 1 >"/proc/sys/net/ipv4/conf/$1/promote_secondaries" 2>/dev/null || :
    ip addr del "$2" dev "$1" 2>/dev/null || :
}

# A daemon can't bind an IPv6 address while the kernel still asks whether somebody else has it
# (tentative).
addresses_usable() {
    while read -r interface address _; do
        case $address in
        *:*)
            shown=$(ip -6 -o addr show dev "$interface" to "${address%/*}")
            case $shown in
            *dadfailed*) fail "another machine already uses $address: find it before you push again" ;;
            *tentative*) return 1 ;;
            esac
            ;;
        esac
    done <$ADDRESSES
}

# The file holds our own tables only, deleted and made anew in one transaction. Tables that no file of
# ours names any longer go by name. Debian's own file flushes everything: it is never loaded here.
apply_firewall() {
    while read -r tree; do tables_in "$tree$FIREWALL"; done <"$INCOMING/old-trees" | sort -u >"$INCOMING/old-tables"
    if owned $FIREWALL; then
        nft -f $FIREWALL
        start_at_boot nftables
        tables_in $FIREWALL >"$INCOMING/tables"
        say "firewall: loaded"
    else
        systemctl -q disable nftables
        : >"$INCOMING/tables"
    fi
    while read -r family table; do
        grep -qx "$family $table" "$INCOMING/tables" || nft delete table "$family" "$table" 2>/dev/null || :
    done <"$INCOMING/old-tables"
}

# tables_in FILE: "FAMILY NAME" of each, for files that are ours.
tables_in() {
    if [ -e "$1" ] && ! grep -q '^flush ruleset' "$1"; then
        sed -n 's/^\(add \)\{0,1\}table \([a-z0-9]*\) \([A-Za-z0-9_]*\).*/\2 \3/p' "$1"
    fi
}
