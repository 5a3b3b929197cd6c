#!/bin/sh
# haproxy: reload, and proof that it runs on the files on the disk. Sourced by push.sh.
set -eu

HAPROXY_CONFIG=/etc/haproxy/haproxy.cfg
HAPROXY_STATS=/run/haproxy/admin.sock # "stats socket" in haproxy.cfg
HAPROXY_MASTER=/run/haproxy-master.sock # -S in Debian's unit
LISTENERS=/etc/ha-cluster/listeners   # lines "ADDRESS PORT"

haproxy_apply() {
    if ! owned $HAPROXY_CONFIG; then
        systemctl -q disable --now haproxy
        return
    fi
    if ! systemctl -q is-active haproxy; then
        haproxy_start
    elif package_changed haproxy || changed '/etc/haproxy/*'; then # the master starts its program anew
        remember_servers
        haproxy_reload
        forget_servers
    elif [ -n "$HANDED_OVER" ] && owned "$RELAY_UNIT"; then # without a relay the handover has ended them
        remember_servers
        finish_kept
        forget_servers
    fi
    wait_for 15 haproxy_listens || fail "haproxy does not listen on: $(missing_listeners)
$(last_words haproxy)"
}

haproxy_start() {
    start_at_boot haproxy
    # A unit that failed too often in a row is not started any more.
    systemctl reset-failed haproxy 2>/dev/null || :
    forget_servers
    systemctl restart haproxy || fail "haproxy does not start:
$(last_words haproxy)"
    say "haproxy: started"
}

# "systemctl reload" is content once the signal is sent: a worker that can't bind a port dies, the old
# one goes on, and nobody hears of it. The master counts both.
haproxy_reload() {
    if ! understands HAPROXY_MASTER; then
        haproxy_reload_plainly
        return
    fi
    reloads=$(haproxy_master | master_reloads)
    [ -n "$reloads" ] || fail "haproxy's master does not answer on $HAPROXY_MASTER: systemctl restart haproxy"
    systemctl reload haproxy || fail "haproxy does not reload:
$(last_words haproxy)"
    wait_for 20 haproxy_reloaded "$reloads" || fail "haproxy goes on with its old files, the new ones do not work:
$(last_words haproxy)"
    start_at_boot haproxy
    say "haproxy: reloaded"
}

# finish_kept: on a machine whose VIPs have gone. By itself haproxy goes on with connections that clients keep until they break; after
# a reload each ends with its next answer, and the client opens the next one where the VIPs are now. Whoever is down is taken for well
# for a second or two, unless it is remembered: nobody asks a machine without VIPs.
finish_kept() {
    systemctl -q is-active haproxy || return 0
    if ! systemctl --job-mode=fail reload haproxy; then # not in the place of a stop that waits for the drain
        say "haproxy does not reload: connections that clients keep will break with the drain"
        return 0
    fi
    # systemd ends a unit that is still reloading without its ExecStop, which waits for the drain.
    wait_for 5 haproxy_has_reloaded || :
}

haproxy_has_reloaded() { [ "$(unit_property haproxy ActiveState)" = active ]; }

haproxy_master() { "$HERE/ask.sh" unix $HAPROXY_MASTER 'show proc' 2>/dev/null; }

# master_reloads and newest_worker: of "show proc". Before 2.5 it has a column "<relative PID>" before "<reloads>".
master_reloads() {
    awk '
        /^#<PID>/ { columns = split($0, name, ">"); for (i = 1; i <= columns; i++) if (name[i] ~ /<reloads$/) column = i }
        column && $2 == "master" { print $column }
    '
}

newest_worker() { awk '/^#/ { current = $0 == "# workers" } current && $2 == "worker" { print $1; exit }'; }

# haproxy_reloaded BEFORE: the master has reloaded more than BEFORE times and the newest worker answers on the
# statistics socket; 2 when the reload failed.
haproxy_reloaded() {
    haproxy_master >"$INCOMING/haproxy-master" || return 1
    count=$(master_reloads <"$INCOMING/haproxy-master")
    [ "${count:-0}" -gt "$1" ] || return 1
    if grep -q 'failed: [1-9]' "$INCOMING/haproxy-master"; then return 2; fi
    worker=$(newest_worker <"$INCOMING/haproxy-master")
    [ -n "$worker" ] && [ "$(haproxy_worker)" = "$worker" ]
}

haproxy_worker() { "$HERE/ask.sh" unix $HAPROXY_STATS 'show info' 2>/dev/null | sed -n 's/^Pid: //p'; }

haproxy_listens() {
    systemctl -q is-active haproxy && [ -n "$(haproxy_worker)" ] && [ -z "$(missing_listeners)" ]
}

missing_listeners() {
    [ -s $LISTENERS ] || return 0
    places=$(awk '{ print ($1 ~ /:/ ? "[" $1 "]" : $1) ":" $2 }' $LISTENERS | sort -u)
    # One question for all of them, as a rule: each matches one local address.
    any=$(echo "$places" | awk '{ printf "%ssrc %s", sep, $1; sep = " or " }')
    listening=$(tcp_listeners "$any" | awk '/"haproxy"/ { print $4 }' | sort -u | wc -l)
    [ "$listening" -ne "$(echo "$places" | wc -l)" ] || return 0
    echo "$places" | while read -r place; do
        tcp_listeners "src $place" | grep -q '"haproxy"' || echo "$place"
    done
}
