#!/bin/sh
# Lets this machine found the cluster of databases, once. The first build of a stack runs it on one machine, and nothing
# ever runs it again: a machine that is made anew, or any other, joins.
set -eu
umask 077

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/galera-history.sh"

if [ -e "$JOINED" ] || [ "$(position_on_disk)" != nothing ]; then
    say "this machine has been in a cluster, and founds no other"
    exit 0
fi
mkdir -p "$STATE"
chmod 0700 "$STATE"
: >"$MAY_FOUND"
sync "$MAY_FOUND"
say "this machine may found the cluster of databases, once"
