#!/bin/sh
# Words, waiting and secrets: what every other part of a push uses. Sourced by push.sh, never run.
set -eu

STATE=/var/lib/ha-cluster # root's alone: it holds copies of secret files
INCOMING=$STATE/incoming  # the push under way: bundle, files, view, reason

# say TEXT…: a line for the operator. Nobody may be left to read it: a change of addresses can cut
# the very SSH session that asked for it, and the push must come to its end all the same.
say() { printf '%s\n' "$*" 2>/dev/null || :; }

# fail TEXT…: ends the step that runs; TEXT is the reason the operator sees.
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# clock: hundredths of a second since boot. Not the wall clock, which jumps when a fresh machine
# first hears of NTP.
clock() {
    read -r uptime _ </proc/uptime
    echo $((${uptime%.*} * 100 + 1${uptime#*.} - 100))
}

# since CLOCK: seconds since then, "1.2".
since() {
    tenths=$((($(clock) - $1) / 10))
    echo "$((tenths / 10)).$((tenths % 10))"
}

# wait_for SECONDS COMMAND…: polls until COMMAND succeeds. 1 when the time is up first, 2 as soon as
# COMMAND itself says 2: it will never succeed.
wait_for() {
    limit=$(($(clock) + $1 * 100))
    shift
    while :; do
        answer=0
        "$@" || answer=$?
        case $answer in
        0 | 2) return "$answer" ;;
        esac
        [ "$(clock)" -lt "$limit" ] || return 1
        sleep 0.1
    done
}

# setting FILE KEY: the value of a KEY=VALUE line, without its quotes; nothing when there is none.
setting() {
    sed -n "s/^$2=//p" "$1" | sed -n '$ { s/^"\(.*\)"$/\1/; s/^'"'"'\(.*\)'"'"'$/\1/; p; }'
}

# journal_cursor: now, in the journal's own terms; journal_after CURSOR UNIT: what UNIT said since.
journal_cursor() { journalctl -q -n 1 -o cat --show-cursor | sed -n 's/^-- cursor: //p'; }
journal_after() { journalctl -q -o cat --after-cursor="$1" -u "$2"; }

# unit_property UNIT PROPERTY: its value. systemd 229 (Ubuntu 16.04) has no --value.
unit_property() { systemctl show -p "$2" "$1" | sed 's/^[^=]*=//'; }

# tcp_listeners [FILTER]: as ss(8) lists them, the local address fourth. iproute2 4.3 (Ubuntu 16.04) has no -H.
tcp_listeners() { ss -ltnp "$@" | sed 1d; }

# last_words UNIT: what it last said, for a reason.
last_words() {
    timeout 5 journalctl --sync 2>/dev/null || : # what systemd has just said may be on its way
    journalctl -q -o cat -n 12 -u "$1" | sed 's/^/    /'
}

# note_secrets PATH: remembers every word in that file, or in all below that directory, so that redact hides it:
# of KEY=VALUE the value, else all words but keepalived's keywords. Fewer than six letters are no secret.
note_secrets() {
    [ ! -e "$1" ] || find "$1" -type f -exec awk '
        sub(/^[A-Za-z0-9_]+=/, "") { gsub(/^["\047]|["\047]$/, ""); if (length($0) >= 6) print; next }
        { for (i = 1; i <= NF; i++) if (length($i) >= 6 && $i !~ /^auth(entication|_type|_pass)$/) print $i }
    ' {} + >>"$INCOMING/secret-words"
}

# redact: copies its input with every noted secret hidden. Daemons quote the line they dislike.
redact() {
    [ -e "$INCOMING/secret-words" ] || { cat && return; }
    awk -v words="$INCOMING/secret-words" '
        BEGIN { while ((getline word < words) > 0) secret[word] }
        {
            for (word in secret) {
                shown = ""
                while (at = index($0, word)) {
                    shown = shown substr($0, 1, at - 1) "***"
                    $0 = substr($0, at + length(word))
                }
                $0 = shown $0
            }
            print
        }
    '
}
