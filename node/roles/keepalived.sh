#!/bin/sh
# keepalived: planned handover, reload, and proof that it holds. Sourced by push.sh.
set -eu

KEEPALIVED_CONFIG=/etc/keepalived/keepalived.conf
KEEPALIVED_DROPIN='/etc/systemd/system/keepalived.service.d/*'
MAINTENANCE=$RUN/maintenance
PUSH_MARK='set by a push' # in the file; an operator's mark is empty, and outlives the push
MARKED=$RUN/handover      # when the push set it: later an operator has touched it
HANDED_OVER='' # another load balancer took the VIPs of this one
RELAY_SETTINGS=/etc/ha-cluster/relay
RELAY_UNIT=/etc/systemd/system/ha-cluster-relay.service

# Before the active load balancer is touched, another one takes over, because keepalived's tracked weight
# moves VIPs without a gap and a fault does not. Connections that are open here go on, see drain.sh.
# Nobody there to take them: go on, the reload itself is short.
handover() {
    if [ -e "$MAINTENANCE" ] || [ ! -e "$RUN/master" ] || ! holds_vip; then return 0; fi
    started=$(clock)
    echo "$PUSH_MARK" >"$MAINTENANCE"
    stat -c %y "$MAINTENANCE" >"$MARKED"
    # The others must know before the VIPs move; check-maintenance.sh waits for that.
    ! systemctl cat ha-cluster-drain >/dev/null 2>&1 || systemctl restart ha-cluster-drain ||
        say "handover: connections that are open will break, the drain does not start: systemctl status ha-cluster-drain"
    if wait_for 12 lacks_vips; then
        # shellcheck disable=SC2034 # for haproxy.sh
        HANDED_OVER=yes
        say "handover: another load balancer took the VIPs after $(since "$started") s"
    else
        say "handover: nobody took the VIPs within 12 s (the other load balancers are away); going on with them here"
    fi
}

# The mark of the planned handover; without it the machine has its full priority again.
end_handover() {
    grep -qsxF "$PUSH_MARK" "$MAINTENANCE" || return 0
    if [ ! -e "$MARKED" ] || [ "$(cat "$MARKED")" = "$(stat -c %y "$MAINTENANCE")" ]; then
        rm -f "$MAINTENANCE"
    else
        : >"$MAINTENANCE"
        say "maintenance: somebody touched $MAINTENANCE during this push, so it stays"
    fi
    rm -f "$MARKED"
}

# Until a push succeeds, this machine is only to have the VIPs when nobody else can.
keep_handover() {
    [ "$ROLE" = load-balancer ] && [ -d "$RUN" ] || return 0
    [ -e "$MAINTENANCE" ] || echo "$PUSH_MARK" >"$MAINTENANCE"
    complain "It keeps the maintenance mark $MAINTENANCE, and so has VIPs only while no other load balancer is well."
}

# relay_apply: the device, its routes and rules.
relay_apply() {
    if ! owned $RELAY_UNIT; then
        systemctl -q disable --now ha-cluster-relay 2>/dev/null || :
        "$HERE/relay.sh" down
        return
    fi
    start_at_boot ha-cluster-relay
    if ! systemctl -q is-active ha-cluster-relay; then
        systemctl start ha-cluster-relay || fail "the relay to the other load balancers cannot be set up:
$(last_words ha-cluster-relay)"
    elif changed "$RELAY_SETTINGS*"; then
        "$HERE/relay.sh" up
    else
        return 0
    fi
    say "relay: up"
}

keepalived_apply() {
    if ! owned $KEEPALIVED_CONFIG; then
        systemctl -q disable --now keepalived
        rm -f "$RUN"/group-*
        return
    fi
    if keepalived_must_restart; then
        rm -f "$RUN"/group-*
        start_at_boot keepalived
        systemctl reset-failed keepalived 2>/dev/null || :
        systemctl restart keepalived || fail "keepalived does not start:
$(last_words keepalived)"
        say "keepalived: started"
    elif changed '/etc/keepalived/*'; then
        keepalived_reload
    elif ! changed "$KEEPALIVED_DROPIN" "$VIPS"; then
        return 0
    fi
    drop_gone_vips
    wait_for 20 keepalived_settled || fail "keepalived is not ready to serve ($(group_states)):
$(last_words keepalived)"
    say "keepalived: $(group_states)"
}

# Before 2.2 keepalived does not say when it has read its files again, nor whether it could ("Reload finished" is its BFD
# process's, which runs only where BFD is configured).
keepalived_must_restart() {
    package_changed keepalived || ! systemctl -q is-active keepalived ||
        { changed '/etc/keepalived/*' && ! understands KEEPALIVED_RELOAD; }
}

# keepalived says so in the journal when it has read its files again; its process stays the same.
keepalived_reload() {
    cursor=$(journal_cursor)
    systemctl reload keepalived
    wait_for 20 keepalived_reloaded "$cursor" || fail "keepalived does not reload:
$(last_words keepalived)"
    start_at_boot keepalived
    say "keepalived: reloaded"
}

keepalived_reloaded() { journal_after "$1" keepalived | grep -q 'Reload complete'; }

# keepalived itself removes a VIP that its file no longer names, but only if it knew of it.
drop_gone_vips() {
    gone "$VIPS" | while read -r interface address; do
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
