#!/bin/sh
# push.sh ROLE BUNDLE <bundle: makes this machine what the bundle says, or leaves it as it was.
#
#   ROLE    load-balancer, database or app-server
#   BUNDLE  files (anybody may read them) or secrets; each comes in a push of its own
#
# The machine's own daemons judge the new files; what is there is kept; the new ones are renamed into place and
# whatever they concern is reloaded and must serve. Otherwise everything returns to what it was, and the
# exit code is 1. The same bundle again changes nothing, but starts and loads what no longer runs on its files. Runs as root; see bundle.sh for the format.
set -eu
umask 077
# An address change can cut the connection that brought the bundle: go on, and end, without it.
trap '' HUP PIPE

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/bundle.sh"
. "$HERE/roles.sh"
. "$HERE/validate.sh"
. "$HERE/differences.sh"

TAKEN_BACK=$STATE/taken-back # by a push that has not told anybody yet

usage() {
    echo "usage: push.sh load-balancer|database|app-server files|secrets <bundle" >&2
    exit 2
}

lock() {
    mkdir -p "$STATE"
    chmod 0700 "$STATE"
    mkdir -p "${REASON%/*}"
    exec 9>"$STATE/lock"
    flock -w 120 9 ||
        fail "another push has been running on this machine for two minutes: wait for it, then push again"
    need_room "$STATE"
}

recover() {
    interrupted=$(recover_interrupted)
    rm -rf "$INCOMING"
    mkdir -p "$INCOMING/files"
    if [ -n "$interrupted" ]; then
        printf '%s\n' "$interrupted" >"$INCOMING/carried"
        CARRIED=yes
        : >"$TAKEN_BACK"
    fi
    # What a push of secrets says nobody gets to read: the one after it says it.
    if [ "$BUNDLE" = files ] && [ -e "$TAKEN_BACK" ]; then
        rm "$TAKEN_BACK"
        say "an earlier push did not come to its end: the files from before it are back"
    fi
}

receive() {
    timeout 60 cat >"$INCOMING/bundle" || fail "the bundle did not come within 60 s"
    list_bundle "$INCOMING/bundle" >"$INCOMING/list"
    if [ -e "$STATE/owned/$OTHER_BUNDLE" ]; then
        path=$(cut -d ' ' -f 3 "$INCOMING/list" | grep -xF -m 1 -f "$STATE/owned/$OTHER_BUNDLE") || path=
        [ -z "$path" ] || fail "$path is in the bundle $OTHER_BUNDLE already"
    fi
    unpack_bundle "$INCOMING/bundle" "$INCOMING/list" "$INCOMING/files"
}

note_all_secrets() {
    if [ "$BUNDLE" = secrets ]; then note_secrets "$INCOMING/files"; fi
    cat "$STATE/owned/secrets" "$LEAVING" 2>/dev/null | while read -r path; do note_secrets "$path"; done
}

compare() {
    take_over_from_cloud_init "$INCOMING/list" "$INCOMING/files"
    dress_files "$INCOMING/list" "$INCOMING/files"
    list_changes "$BUNDLE" "$INCOMING/list" "$INCOMING/files" >"$INCOMING/changes"
    list_cloud_init_changes "$INCOMING/list" >>"$INCOMING/changes"
    [ "$BUNDLE" = secrets ] || list_left "$INCOMING/list" "$INCOMING/files" >>"$INCOMING/changes"
}

# Secrets come first to a fresh machine and have nobody to serve yet.
nothing_serves_yet() { [ "$BUNDLE" = secrets ] && [ ! -s "$STATE/owned/files" ]; }

judge_all() {
    if [ "$ROLE" = load-balancer ]; then fetch_packages "$INCOMING/files$VERSIONS"; fi
    validate "$ROLE" "$INCOMING/list" "$INCOMING/files"
    case $ROLE in
    database) galera_refuses_change "$INCOMING/changes" ;;
    app-server) release_take ;;
    esac
}

# apply_as_before: for files that were there before; packages return with them, see list_packages.
apply_as_before() {
    WAY_BACK=yes
    apply
}

change() {
    install_files "$BUNDLE" "$INCOMING/list" "$INCOMING/files" "$INCOMING/changes"
    nothing_serves_yet || apply
}

[ $# -eq 2 ] || usage
ROLE=$1 BUNDLE=$2 WAY_BACK=
case $ROLE in load-balancer | database | app-server) ;; *) usage ;; esac
case $BUNDLE in files) OTHER_BUNDLE=secrets ;; secrets) OTHER_BUNDLE=files ;; *) usage ;; esac
BEGAN=$(clock)

lock
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
allow_starts
stay
recover

step receive
note_all_secrets
[ -z "$STEP_FAILED" ] || refuse "the bundle is not sound"
step install_packages "$ROLE"
[ -z "$STEP_FAILED" ] || refuse "packages are missing"
step compare
[ -z "$STEP_FAILED" ] || refuse "the bundle does not suit this machine"

if [ ! -s "$INCOMING/changes" ]; then
    ENDED='nothing to change'
    settle_interrupted
    if [ -z "$STEP_FAILED" ]; then
        record_owned "$BUNDLE" "$INCOMING/list"
        forget_left
    fi
    if [ -z "$STEP_FAILED" ] && [ "$BUNDLE" = files ]; then mend_running; fi
    [ -n "$STEP_FAILED" ] || say "$ROLE $BUNDLE: $ENDED ($(since "$BEGAN") s)"
    [ -z "$STEP_FAILED" ] || exit 1
    exit 0
fi
# shellcheck disable=SC2046 # one word per path; none has a blank
step need_room $(cut -d ' ' -f 2 "$INCOMING/changes")
[ -z "$STEP_FAILED" ] || refuse "a disk is full"
if [ "$BUNDLE" = files ]; then
    step list_unapplied_into "$INCOMING/unapplied"
    [ -z "$STEP_FAILED" ] || refuse "this machine's state can't be told"
fi
if ! nothing_serves_yet; then
    step judge_all
    [ -z "$STEP_FAILED" ] || refuse "the new files are not fit to serve"
fi

say "$ROLE $BUNDLE: $(wc -l <"$INCOMING/changes") of $(wc -l <"$INCOMING/list") files differ"
while read -r line; do say "  $line"; done <"$INCOMING/changes"
show_differences
{
    cut -d ' ' -f 2- "$INCOMING/changes"
    [ -z "$CARRIED" ] || cat "$INCOMING/carried"
    [ "$BUNDLE" = secrets ] || cat "$INCOMING/unapplied"
} | sort -u >"$INCOMING/paths"
keep_current "$BUNDLE" "$INCOMING/changes"
list_old_trees "$STATE/previous/$BUNDLE/root"
note_found
open_journal "$BUNDLE" "$INCOMING/paths"
CHANGING=yes
step change
if [ "$STEP_FAILED" = "$GOES_ON" ]; then
    let_go
    exit 1
fi
if [ -n "$STEP_FAILED" ]; then
    take_back
    exit 1
fi
CHANGING=
close_journal
forget_left
rm -rf "$STATE/refused/$BUNDLE"
say "$ROLE $BUNDLE: done in $(since "$BEGAN") s"
