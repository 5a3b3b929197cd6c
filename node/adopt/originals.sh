#!/bin/sh
# A load balancer that somebody else built: what it had before anything was replaced. Sourced, never run.
#
#   original/facts        what the stack says of this host, see render/existing.ts
#   original/kept         paths that are looked after, one a line
#   original/root         those that were there, as they were
#   original/absent       those that were not
#   original/directories  directories that were not there, the deepest last
#   original/units        lines "UNIT ENABLED ACTIVE"
#   original/addresses    lines "INTERFACE ADDRESS/LENGTH" and "INTERFACE via GATEWAY", IPv6 only
#   original/listeners    where haproxy listened
#   original/taken-over   exists while the daemons run on our files
set -eu

ORIGINAL=$STATE/original
# shellcheck disable=SC2034 # for theirs.sh
TAKEN_OVER=$ORIGINAL/taken-over

adopted() { [ -e "$ORIGINAL/complete" ]; }

# understands FACT: whether this host's daemons do; those of a machine that we made do.
understands() { ! adopted || [ "$(setting "$ORIGINAL/facts" "$1")" = yes ]; }

# keep_original PATH: the first time only, so that what is kept is never ours.
keep_original() {
    ! grep -qsxF "$1" "$ORIGINAL/kept" || return 0
    if exists "$1"; then
        (cd / && cp -a --parents ".$1" "$ORIGINAL/root")
    else
        echo "$1" >>"$ORIGINAL/absent"
        note_directories "${1%/*}"
    fi
    echo "$1" >>"$ORIGINAL/kept"
}

note_directories() {
    if [ -d "$1" ] || grep -qsxF "$1" "$ORIGINAL/directories"; then return 0; fi
    note_directories "${1%/*}"
    echo "$1" >>"$ORIGINAL/directories"
}

keep_state_of_host() {
    for unit in haproxy keepalived; do
        echo "$unit $(systemctl is-enabled $unit 2>/dev/null || :) $(systemctl is-active $unit || :)"
    done >"$ORIGINAL/units"
    {
        ip -6 -o addr show scope global | awk '{ print $2, $4 }'
        ip -6 route show default | awk '$2 == "via" { print $5, "via", $3 }'
    } >"$ORIGINAL/addresses"
    haproxy_endpoints >"$ORIGINAL/listeners"
}

haproxy_endpoints() { tcp_listeners | awk '/"haproxy"/ { print $4 }' | sort -u; }

# restore_originals: the files byte for byte, with mode and owner. May run twice.
restore_originals() {
    while read -r path; do
        if [ -e "$ORIGINAL/root$path" ] || [ -L "$ORIGINAL/root$path" ]; then
            place "$ORIGINAL/root$path" "$path"
        else
            rm -f "$path"
        fi
    done <"$ORIGINAL/kept"
    [ ! -e "$ORIGINAL/directories" ] || sort -r "$ORIGINAL/directories" | while read -r directory; do
        rmdir "$directory" 2>/dev/null || :
    done
}

# restore_units: with a restart, so that the daemons run on the files that are there again.
restore_units() {
    while read -r unit enabled active; do
        case $enabled in
        enabled) systemctl -q enable "$unit" ;;
        disabled) systemctl -q disable "$unit" ;;
        esac
        if [ "$active" = active ]; then
            systemctl reset-failed "$unit" 2>/dev/null || :
            systemctl restart "$unit" || fail "$unit does not start on the files it had:
$(last_words "$unit")"
        else
            systemctl stop "$unit"
        fi
    done <"$ORIGINAL/units"
    wait_for 15 runs_as_found || fail "this host does not run as it did; haproxy listened on:
$(sed 's/^/    /' "$ORIGINAL/listeners")"
}

runs_as_found() {
    while read -r unit _ active; do
        [ "$active" != active ] || systemctl -q is-active "$unit" || return 1
    done <"$ORIGINAL/units"
    haproxy_endpoints >"$INCOMING/endpoints"
    ! grep -qvxF -f "$INCOMING/endpoints" "$ORIGINAL/listeners"
}
