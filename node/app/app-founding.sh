#!/bin/sh
# Lets this machine serve the sample, once. The first build of a group runs it on one machine, and nothing ever runs it again:
# a machine that is made anew, or any other, takes the release that the others of its group run.
set -eu
umask 077

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/store.sh"
. "$HERE/take-release.sh"

if release_linked; then
    say "this machine has a release, and needs no sample"
    exit 0
fi
mkdir -p "$STATE"
chmod 0700 "$STATE"
: >"$MAY_SERVE_SAMPLE"
sync "$MAY_SERVE_SAMPLE"
say "this machine may serve the sample, once"
