#!/bin/sh
# For ha-cluster-recover.service, at boot before network and daemons start: takes back what a push left half done
# when the machine lost its power.
set -eu
umask 077

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/store.sh"
. "$HERE/haproxy-state.sh"

[ ! -e "$HAPROXY_SERVERS" ] || forget_servers
[ -e "$JOURNAL" ] || exit 0
restore_previous "$(head -n 1 "$JOURNAL")"
# Everything starts from these files now: unlike a push, which finds daemons that run on the others.
close_journal
systemctl daemon-reload
say "a push did not come to its end: the files from before it are back"
