#!/bin/sh
# All that bringing a role's files into force may call, for whoever does: sourced by push.sh and patch.sh, which have HERE
# and common.sh. A script that one of them lacked would fail on a machine in mid-change.
set -eu

. "$HERE/store.sh"
. "$HERE/packages.sh"
. "$HERE/settle.sh"
. "$HERE/network.sh"
. "$HERE/haproxy.sh"
. "$HERE/haproxy-state.sh"
. "$HERE/probe.sh"
. "$HERE/vips.sh"
. "$HERE/keepalived.sh"
. "$HERE/load-balancer.sh"
. "$HERE/galera-history.sh"
. "$HERE/galera-sync.sh"
. "$HERE/galera.sh"
. "$HERE/database.sh"
. "$HERE/take-release.sh"
. "$HERE/app-server.sh"
. "$HERE/running.sh"
. "$HERE/originals.sh"
. "$HERE/theirs.sh"
. "$HERE/leaving.sh"
