#!/bin/sh
# The first push to a load balancer that somebody else built, and the way back if it fails. Sourced by push.sh.
set -eu

# theirs_concerned: whether the daemons run on somebody else's files, or are to do so again.
theirs_concerned() { adopted && { [ ! -e "$TAKEN_OVER" ] || ! owned "$KEEPALIVED_CONFIG"; }; }

theirs_apply() {
    reload_units
    if owned "$KEEPALIVED_CONFIG"; then take_over; else give_back; fi
}

# Restarts, no reloads: their master processes and instances are not ours, and nobody comes by this host any more.
take_over() {
    lower_theirs
    network_apply
    haproxy_start
    wait_for 15 haproxy_listens || fail "haproxy does not listen on: $(missing_listeners)
$(last_words haproxy)"
    rm -f "$RUN"/group-*
    systemctl -q enable keepalived
    systemctl reset-failed keepalived 2>/dev/null || :
    systemctl restart keepalived || fail "keepalived does not start:
$(last_words keepalived)"
    wait_for 20 keepalived_settled || fail "keepalived is not ready to serve ($(group_states)):
$(last_words keepalived)"
    : >"$TAKEN_OVER"
    say "taken over: $(group_states)"
}

# lower_theirs: their keepalived holds the VIPs, and knows no mark of ours. With the least priority it hands them over
# while it lives, which leaves no gap; stopping it would leave one of more than half a second.
lower_theirs() {
    theirs=$ORIGINAL/root$KEEPALIVED_CONFIG
    if [ ! -e "$theirs" ] || ! systemctl -q is-active keepalived || ! holds_vip; then return 0; fi
    started=$(clock)
    cp -a "$theirs" "$INCOMING/lowered"
    lower_priorities <"$theirs" >"$INCOMING/lowered"
    place "$INCOMING/lowered" "$KEEPALIVED_CONFIG"
    systemctl reload keepalived
    if wait_for 12 lacks_vips; then
        say "handover: another load balancer took the VIPs after $(since "$started") s"
    else
        say "handover: nobody took the VIPs within 12 s (the others are away, or don't preempt); going on with them here"
    fi
    place "$INCOMING/files$KEEPALIVED_CONFIG" "$KEEPALIVED_CONFIG"
}

# Each vrrp_instance says "priority 1", in place of its own line or in addition.
lower_priorities() {
    awk '
        $1 == "vrrp_instance" { due = 1 }
        $1 == "priority" { next }
        { print }
        due && /{/ { print "    priority 1"; due = 0 }
    '
}

give_back() {
    handover
    network_apply
    rm -f "$TAKEN_OVER" "$RUN/master" "$RUN"/group-*
    restore_units
}

# show_differences: what the first push changes in the files found here. Passwords stay out of it.
show_differences() {
    if ! adopted || [ -e "$TAKEN_OVER" ] || [ "$BUNDLE" != files ]; then return 0; fi
    while read -r kind path; do
        [ "$kind" = changed ] || continue
        difference "$path" <"$INCOMING/files$path" || :
    done <"$INCOMING/changes" | redact
}

# haproxy_reload_plainly: before 2.0 there is no master to ask. The newest worker answers on the statistics socket.
haproxy_reload_plainly() {
    before=$(haproxy_worker)
    systemctl reload haproxy || fail "haproxy does not reload:
$(last_words haproxy)"
    wait_for 20 another_worker "$before" || fail "haproxy goes on with its old files, the new ones do not work:
$(last_words haproxy)"
    say "haproxy: reloaded"
}

another_worker() {
    worker=$(haproxy_worker)
    [ -n "$worker" ] && [ "$worker" != "$1" ]
}

# read_keepalived: what can be judged without "keepalived -t": braces, and files that are included.
read_keepalived() {
    awk '
        { sub(/[#!].*/, "") }
        { depth += gsub(/{/, "{") - gsub(/}/, "}") }
        depth < 0 { print "line " NR ": a } without its {"; bad = 1; exit 1 }
        $1 == "include" && (getline line <$2) < 0 { print "line " NR ": cannot read " $2; bad = 1 }
        END {
            if (depth > 0) print "the end: " depth " blocks are not closed"
            exit (bad || depth > 0)
        }
    ' "$1"
}
