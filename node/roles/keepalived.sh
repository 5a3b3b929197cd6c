#!/bin/sh
# keepalived: planned handover, reload, and proof that it holds. Sourced by push.sh.
set -eu

RUN=/run/ha-cluster # marks that must not outlive a boot
KEEPALIVED_CONFIG=/etc/keepalived/keepalived.conf
KEEPALIVED_DROPIN='/etc/systemd/system/keepalived.service.d/*'
VIPS=/etc/ha-cluster/vips # lines "INTERFACE ADDRESS/LENGTH"

# Before the active load balancer is touched, another one takes over, because keepalived's tracked weight
# moves VIPs without a gap and a fault does not. Nobody there to take them: go on, the reload itself is short.
handover() {
    if [ -e $RUN/maintenance ] || [ ! -e $RUN/master ] || ! holds_vip; then return 0; fi
    started=$(clock)
    : >$RUN/maintenance
    if wait_for 12 lacks_vips; then
        say "handover: another load balancer took the VIPs after $(since "$started") s"
    else
        say "handover: nobody took the VIPs within 12 s (the other load balancers are away); going on with them here"
    fi
}

# The mark of the planned handover; without it the machine has its full priority again.
end_handover() { rm -f $RUN/maintenance; }

holds_vip() {
    [ -e $VIPS ] || return 1
    while read -r interface address; do
        [ -z "$(ip -o addr show dev "$interface" to "${address%/*}" 2>/dev/null)" ] || return 0
    done <$VIPS
    return 1
}

lacks_vips() { ! holds_vip; }

keepalived_apply() {
    if ! owned $KEEPALIVED_CONFIG; then
        systemctl -q disable --now keepalived
        rm -f $RUN/group-*
        return
    fi
    if ! systemctl -q is-active keepalived; then
        rm -f $RUN/group-*
        systemctl -q enable keepalived
        systemctl reset-failed keepalived 2>/dev/null || :
        systemctl restart keepalived || fail "keepalived does not start:
$(last_words keepalived)"
        say "keepalived: started"
    elif changed '/etc/keepalived/*'; then
        keepalived_reload
    elif ! changed "$KEEPALIVED_DROPIN" $VIPS; then
        return 0
    fi
    drop_gone_vips
    wait_for 20 keepalived_settled || fail "keepalived is not ready to serve ($(group_states)):
$(last_words keepalived)"
    say "keepalived: $(group_states)"
}

# keepalived says so in the journal when it has read its files again; its process stays the same.
keepalived_reload() {
    cursor=$(journal_cursor)
    systemctl reload keepalived
    wait_for 20 keepalived_reloaded "$cursor" || fail "keepalived does not reload:
$(last_words keepalived)"
    systemctl -q enable keepalived
    say "keepalived: reloaded"
}

keepalived_reloaded() { journal_after "$1" keepalived | grep -q 'Reload complete'; }

# keepalived itself removes a VIP that its file no longer names, but only if it knew of it.
drop_gone_vips() {
    gone $VIPS | while read -r interface address; do
        ip addr del "$address" dev "$interface" 2>/dev/null || :
    done
}

keepalived_groups() { awk '$1 == "vrrp_sync_group" { print $2 }' $KEEPALIVED_CONFIG; }

# notify.sh writes down what keepalived tells it of a group.
group_states() {
    for group in $(keepalived_groups); do
        echo "$group: $(cat "$RUN/group-$group" 2>/dev/null || echo unknown)"
    done | paste -s -d ' '
}

keepalived_settled() {
    systemctl -q is-active keepalived || return 1
    for group in $(keepalived_groups); do
        grep -qsx -e MASTER -e BACKUP "$RUN/group-$group" || return 1
    done
}
