#!/bin/sh
# What a machine keeps of its farewell while it runs on; gone with a reboot. Sourced by push.sh and farewell.sh.
set -eu

LEAVING_MARK=/run/ha-cluster/leaving # Galera's status service says no while it is there
LEAVING_TABLE=ha_cluster_leaving     # of nftables: refuses new connections to the application

# It stayed after all.
stay() {
    [ -e "$LEAVING_MARK" ] || return 0
    rm -f "$LEAVING_MARK"
    nft delete table inet $LEAVING_TABLE 2>/dev/null || :
    say "this machine was about to be stopped, and serves again"
}
