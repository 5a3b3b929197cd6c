#!/bin/sh
# A machine that serves no more for a while: what it keeps of its farewell, gone with a reboot, and how an application is taken
# from those who ask it. Sourced by push.sh and farewell.sh.
set -eu

# shellcheck disable=SC2034 # for farewell.sh and app-server.sh
DRAIN_SECONDS=60 # for connections that are open; downloads that take longer are cut
# shellcheck disable=SC2034 # for app-server.sh
SEEN_SECONDS=3 # until the load balancers' checks have seen an application again (plan/timers.ts: rise and inter)

LEAVING_MARK=/run/ha-cluster/leaving # Galera's status service says no while it is there
LEAVING_TABLE=ha_cluster_leaving     # of nftables: refuses new connections to the application

# refuse_new PORT…: new connections are refused, which haproxy takes to another server; those that are there go on.
refuse_new() {
    mkdir -p "${LEAVING_MARK%/*}"
    : >"$LEAVING_MARK"
    nft -f - <<NFT
table inet $LEAVING_TABLE {}
delete table inet $LEAVING_TABLE
table inet $LEAVING_TABLE {
    chain input {
        type filter hook input priority -10; policy accept;
        iifname != "lo" tcp dport { $(echo "$@" | tr ' ' ',') } ct state new reject with tcp reset
    }
}
NFT
}

accept_new() {
    rm -f "$LEAVING_MARK"
    nft delete table inet $LEAVING_TABLE 2>/dev/null || :
}

clients() {
    for port in "$@"; do ss -tn state established "sport = :$port" not src 127.0.0.0/8 | sed 1d; done | wc -l
}

nobody_on() { [ "$(clients "$@")" -eq 0 ]; }

# It stayed after all.
stay() {
    [ -e "$LEAVING_MARK" ] || return 0
    accept_new
    say "this machine was about to be stopped, and serves again"
}
