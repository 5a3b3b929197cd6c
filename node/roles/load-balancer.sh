#!/bin/sh
# What a load balancer does with changed files, in this order: others take its VIPs, then network, haproxy, keepalived.
# Sourced by push.sh.
set -eu

load_balancer_apply() {
    install -d -m 0755 "$RUN"
    if changed '/etc/haproxy/*' '/etc/keepalived/*' "$KEEPALIVED_DROPIN" "$ADDRESSES" "$SYSCTL"; then handover; fi
    reload_units
    network_apply
    haproxy_apply
    keepalived_apply
    # keepalived must not have taken haproxy's listeners, nor a late worker have died.
    ! owned "$HAPROXY_CONFIG" || haproxy_listens || fail "haproxy stopped serving: $(missing_listeners)
$(last_words haproxy)"
}
