#!/bin/sh
# What lies on the disk: which files a bundle owns, what a push changes, and the way back.
# Sourced by push.sh.
#
#   owned/BUNDLE     paths that the bundle put here
#   previous/BUNDLE  what the last push replaced: root/… as it was, absent (paths that were not
#                    there), owned (as it was)
#   journal          "BUNDLE", then the paths being changed: exists from the first rename until the
#                    push has settled. Found at the start of a push, it tells of one that was killed.
#   interrupted/*/files  what that one sent: daemons may be running on it
#   leaving          secrets that their bundle brings no longer, but live files name: they come first, and the files that
#                    end that follow. The push of those removes them. One in owned/secrets as well is not leaving.
set -eu

JOURNAL=$STATE/journal
LEAVING=$STATE/leaving

# What the machine had before this push and not from us ("INTERFACE ADDRESS/LENGTH", "INTERFACE via GATEWAY"): a push
# that is taken back, the first one above all, must not take it along. Until the push has settled.
FOUND=$STATE/found

# Of an upgrade, until the push has settled; see packages.sh.
REPLACED=$STATE/replaced-packages # lines "NAME VERSION" of what the push replaces
OLD_PACKAGES=$STATE/old-packages  # their .deb files, for the way back: archives drop old versions

# owned PATH: whether a bundle put it here.
owned() { grep -qsxF "$1" "$STATE"/owned/*; }

# same FILE LIVE: text, mode and owner.
same() {
    [ -f "$2" ] && [ ! -L "$2" ] && cmp -s "$1" "$2" || return 1
    # shellcheck disable=SC2046 # two words
    set -- $(stat -c '%a,%U:%G' "$1" "$2")
    [ "$1" = "$2" ]
}

# listed PATH LIST
listed() { cut -d ' ' -f 3- "$2" | grep -qxF "$1"; }

exists() { [ -e "$1" ] || [ -L "$1" ]; }

# named PATH: whether a live file of the bundle files names it.
named() { [ -s "$STATE/owned/files" ] && xargs grep -qswF -e "$1" <"$STATE/owned/files"; }

# list_changes BUNDLE LIST TREE: prints "new|changed|removed PATH" for what differs from the disk.
list_changes() {
    while read -r _ _ path; do
        if ! exists "$path"; then
            echo "new $path"
        elif ! same "$3$path" "$path"; then
            echo "changed $path"
        fi
    done <"$2"
    [ -e "$STATE/owned/$1" ] || return 0
    cut -d ' ' -f 3 "$2" >"$INCOMING/listed"
    { grep -vxF -f "$INCOMING/listed" "$STATE/owned/$1" || :; } | while read -r path; do
        if ! exists "$path"; then continue; fi
        if [ "$1" = secrets ] && named "$path"; then echo "$path" >>"$INCOMING/leaving"; else echo "removed $path"; fi
    done
}

# list_left LIST TREE: of the leaving secrets those that these files name no longer, in the form of list_changes.
list_left() {
    [ ! -e "$LEAVING" ] || while read -r path; do
        if ! exists "$path" || grep -qxF -e "$path" "$STATE/owned/secrets"; then continue; fi
        listed "$path" "$1" || grep -rqwF -e "$path" "$2" || echo "removed $path"
    done <"$LEAVING"
}

# forget_left: of the leaving secrets those that are gone, or owned again.
forget_left() {
    [ -e "$LEAVING" ] || return 0
    while read -r path; do
        if exists "$path" && ! owned "$path"; then echo "$path"; fi
    done <"$LEAVING" >"$LEAVING.new"
    mv "$LEAVING.new" "$LEAVING"
}

ROOM=4096 # KiB

# need_room PATH…: a disk that fills up in mid-change would be in the way of the way back, too.
need_room() {
    full=$(for path in "$@"; do
        while [ -n "$path" ] && [ ! -d "$path" ]; do path=${path%/*}; done
        df -Pk "${path:-/}" | awk -v room=$ROOM 'NR == 2 && $4 < room { print "    " $6 ": " $4 " KiB are left" }'
    done | sort -u)
    [ -z "$full" ] || fail "no room: a push wants $ROOM KiB, to be sure of the way back. Make some
(df -h; apt-get clean; journalctl --vacuum-size=50M), then push again:
$full"
}

# keep_current BUNDLE CHANGES: the way back, complete on the disk before anything live is touched.
keep_current() {
    keep=$STATE/previous/$1.new
    rm -rf "$keep"
    mkdir -p "$keep/root" "$STATE/owned"
    : >"$keep/absent"
    while read -r kind path; do
        case $kind in
        new) echo "$path" >>"$keep/absent" ;;
        *) (cd / && cp -a --parents ".$path" "$keep/root") ;;
        esac
    done <"$2"
    [ ! -e "$STATE/owned/$1" ] || cp "$STATE/owned/$1" "$keep/owned"
    find "$keep" ! -type l -exec sync {} +
    rm -rf "$STATE/previous/$1.old"
    [ ! -d "$STATE/previous/$1" ] || mv "$STATE/previous/$1" "$STATE/previous/$1.old"
    mv "$keep" "$STATE/previous/$1"
    rm -rf "$STATE/previous/$1.old"
}

# open_journal BUNDLE PATHS: the second argument is a file of paths, one a line.
open_journal() {
    { echo "$1" && cat "$2"; } >"$JOURNAL.new"
    sync "$JOURNAL.new"
    mv "$JOURNAL.new" "$JOURNAL"
    sync "$STATE"
}

close_journal() {
    rm -rf "$JOURNAL" "$STATE/interrupted" "$FOUND" "$REPLACED" "$OLD_PACKAGES"
    sync "$STATE"
}

# place FILE LIVE: by rename, so that no reader ever meets half a file. The temporary name starts
# with a dot and ends in no suffix that a conf.d directory reads.
place() {
    make_directory "${2%/*}" "$1"
    temporary=${2%/*}/.${2##*/}.ha-cluster
    rm -f "$temporary"
    cp -a "$1" "$temporary"
    [ -L "$temporary" ] || sync "$temporary"
    mv -f -T "$temporary" "$2"
}

# make_directory DIRECTORY FILE: open to all, but for a directory of secrets (FILE is root's alone).
make_directory() {
    [ ! -d "$1" ] || return 0
    make_directory "${1%/*}" "$2"
    case $(stat -c %a "$2") in
    600 | 400) mkdir -m 0700 "$1" ;;
    *) mkdir -m 0755 "$1" ;;
    esac
}

# install_files BUNDLE LIST TREE CHANGES: everything that differs goes live.
install_files() {
    while read -r kind path; do
        case $kind in
        removed) rm -f "$path" ;;
        *) place "$3$path" "$path" ;;
        esac
    done <"$4"
    record_owned "$1" "$2"
}

record_owned() {
    mkdir -p "$STATE/owned"
    if [ -e "$INCOMING/leaving" ]; then
        cat "$LEAVING" "$INCOMING/leaving" 2>/dev/null | sort -u >"$LEAVING.new"
        sync "$LEAVING.new"
        mv "$LEAVING.new" "$LEAVING"
        while read -r path; do say "  $path stays until no file names it any more"; done <"$INCOMING/leaving"
    fi
    cut -d ' ' -f 3- "$2" >"$STATE/owned/$1.new"
    sync "$STATE/owned/$1.new"
    mv "$STATE/owned/$1.new" "$STATE/owned/$1"
}

# restore_previous BUNDLE: the disk as it was before the last push of BUNDLE. May run twice.
restore_previous() {
    previous=$STATE/previous/$1
    # The power was cut between two renames of keep_current, with the journal of an earlier push still open.
    [ -d "$previous" ] || mv "$previous.old" "$previous"
    while read -r path; do rm -f "$path"; done <"$previous/absent"
    find "$previous/root" ! -type d -printf '/%P\n' >"$previous/paths"
    while read -r path; do place "$previous/root$path" "$path"; done <"$previous/paths"
    if [ -e "$previous/owned" ]; then
        cp "$previous/owned" "$STATE/owned/$1.new"
        mv "$STATE/owned/$1.new" "$STATE/owned/$1"
    else
        rm -f "$STATE/owned/$1"
    fi
}

# recover_interrupted: after a kill or a power cut in mid-push. The files go back; what daemons made
# of the half-done push is settled by the apply that follows, for which the paths go to stdout.
recover_interrupted() {
    [ -e "$JOURNAL" ] || return 0
    bundle=$(head -n 1 "$JOURNAL")
    if [ -d "$INCOMING/files" ]; then
        mkdir -p "$STATE/interrupted"
        mv "$INCOMING/files" "$(mktemp -d "$STATE/interrupted/XXXXXX")/files"
    fi
    restore_previous "$bundle"
    tail -n +2 "$JOURNAL"
}

# gone FILE: prints the lines that FILE had in the versions this step replaces and has no longer.
# OLD_TREES, one a line, are those versions; set by push.sh.
gone() {
    while read -r tree; do
        [ ! -e "$tree$1" ] || cat "$tree$1"
    done <"$INCOMING/old-trees" | sort -u | while read -r line; do
        grep -qsxF "$line" "$1" || echo "$line"
    done
}

# changed PATTERN…: whether this step changes a path that matches.
changed() {
    while read -r path; do
        for pattern in "$@"; do
            # shellcheck disable=SC2254 # patterns on purpose
            case $path in $pattern) return 0 ;; esac
        done
    done <"$INCOMING/paths"
    return 1
}
