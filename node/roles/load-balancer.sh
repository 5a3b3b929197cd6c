#!/bin/sh
# What a load balancer does with changed files, in this order: others take its VIPs, then network, packages, haproxy,
# keepalived.
# Sourced by push.sh.
set -eu

RECOVER_UNIT=/etc/systemd/system/ha-cluster-recover.service

recover_at_boot() {
    if owned $RECOVER_UNIT; then
        start_at_boot ha-cluster-recover
    else
        systemctl -q disable ha-cluster-recover 2>/dev/null || :
    fi
}

load_balancer_apply() {
    install -d -m 0755 "$RUN"
    if theirs_concerned; then
        theirs_apply
        return
    fi
    # A handover changes nothing of what is asked.
    probe_before &
    probing=$!
    list_packages
    if packages_differ || changed '/etc/haproxy/*' '/etc/keepalived/*' "$KEEPALIVED_DROPIN" "$ADDRESSES" "$SYSCTL"; then
        handover
    fi
    wait $probing
    reload_units
    recover_at_boot
    network_apply
    relay_apply
    change_packages
    haproxy_apply
    keepalived_apply
    # keepalived must not have taken haproxy's listeners, nor a late worker have died.
    ! owned "$HAPROXY_CONFIG" || haproxy_listens || fail "haproxy stopped serving: $(missing_listeners)
$(last_words haproxy)"
    ! owned "$HAPROXY_CONFIG" || probe_after
}
