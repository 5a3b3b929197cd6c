#!/bin/sh
# Asks this machine's own haproxy at every VIP and port, whether or not the VIP is here: connections from the loopback
# address are delivered here, by a rule of their own, and never see the network. Sourced by push.sh.
set -eu

PROBE_TABLE=6803 # routing table, and the preference of its rules
PROBES=/etc/ha-cluster/probes # lines "ADDRESS PORT http|https|tcp [CERTIFICATE]"
PROBE_SECONDS=10 # for one answer; haproxy tries its servers for that long
PROBES_AT_ONCE=16
OPENSSL=$(command -v openssl || :)

# probe_all: lines "ADDRESS PORT KIND ANSWER".
#
#   http    the answer's status: 200; "none: WHY" without one
#   https   ok after a handshake in which haproxy proved that it has the certificate's key; else "none: WHY"
#   tcp     ok when the connection is accepted; else "none: WHY"
probe_all() {
    [ -s $PROBES ] || return 0
    probe_rules add
    rm -rf "$INCOMING/answers"
    mkdir "$INCOMING/answers"
    number=100000 # so that the answers' names sort
    while read -r address port kind certificate; do
        number=$((number + 1))
        probe "$address" "$port" "$kind" "$certificate" >"$INCOMING/answers/$number" &
        [ $((number % PROBES_AT_ONCE)) -ne 0 ] || wait
    done <$PROBES
    wait
    probe_rules del
    cat "$INCOMING"/answers/*
}

probe() {
    if ! is_listened_to "$1" "$2"; then
        answer="none: nothing listens there"
    else
        case $3 in
        http) answer=$(probe_http "$1" "$2") ;;
        https) answer=$(probe_tls "$1" "$2" "$4") ;;
        *) answer=$(probe_tcp "$1" "$2") ;;
        esac
    fi
    echo "$1 $2 $3 $answer"
}

# is_listened_to ADDRESS PORT: by whomever. An IPv4 address that is elsewhere can't even refuse a connection: the kernel
# answers only in the name of an address that it has, so that one would wait in vain.
is_listened_to() {
    case $1 in *:*) place="[$1]:$2" ;; *) place=$1:$2 ;; esac
    [ -n "$(tcp_listeners "src $place or src 0.0.0.0:$2 or src [::]:$2")" ]
}

# probe_rules add|del: nobody else sends from a loopback address to one that is not local.
probe_rules() {
    for family in 4 6; do
        case $family in 4) source=127.0.0.1 ;; 6) source=::1 ;; esac
        while ip "-$family" rule del pref $PROBE_TABLE 2>/dev/null; do :; done
        ip "-$family" route flush table $PROBE_TABLE 2>/dev/null || :
        [ "$1" = add ] || continue
        # A machine without IPv6 has no IPv6 VIP either.
        ip "-$family" route add local default dev lo table $PROBE_TABLE 2>/dev/null || continue
        ip "-$family" rule add from "$source" lookup $PROBE_TABLE pref $PROBE_TABLE
    done
}

# loopback_for ADDRESS
loopback_for() { case $1 in *:*) echo ::1 ;; *) echo 127.0.0.1 ;; esac }

probe_http() { "$HERE/ask.sh" status "$1" "$2" / "$PROBE_SECONDS" "$(loopback_for "$1")" 2>&1 || :; }

probe_tcp() {
    case $("$HERE/ask.sh" tcp "$1" "$2" 3 "$(loopback_for "$1")") in
    open) echo ok ;;
    closed) echo "none: the connection is refused" ;;
    *) echo "none: the connection is not accepted within 3 s" ;;
    esac
}

# probe_tls ADDRESS PORT CERTIFICATE: without openssl, whether the port is open.
probe_tls() {
    if [ -z "$OPENSSL" ]; then
        probe_tcp "$1" "$2"
        return
    fi
    case $1 in *:*) place="[$1]:$2" source='[::1]:0' ;; *) place="$1:$2" source=127.0.0.1:0 ;; esac
    shown=$(timeout $PROBE_SECONDS openssl s_client -connect "$place" -bind "$source" </dev/null 2>&1) || {
        echo "none: no TLS handshake: $(printf '%s\n' "$shown" | grep -i -m 1 -e error -e errno || echo "not within $PROBE_SECONDS s")"
        return
    }
    if [ ! -f "$3" ] || [ "$(printf '%s\n' "$shown" | first_certificate)" = "$(first_certificate <"$3")" ]; then
        echo ok
    else
        echo "none: the certificate served is not the one in $3"
    fi
}

# first_certificate: of the PEM text on standard input, in one line.
first_certificate() {
    awk '
        /^-----END / { if (inside) exit }
        inside { gsub(/[^A-Za-z0-9+\/=]/, ""); printf "%s", $0 }
        /^-----BEGIN (X509 )?CERTIFICATE-----/ { inside = 1 }
    '
}

# probe_before, at the start of a change, and probe_after, at its end: whatever haproxy answers is an answer, but an
# error of the gateway (502 to 504) or none at all is a failure where there was an answer before.
probe_before() { probe_all >"$INCOMING/probe-before"; }

probe_after() {
    [ -e $PROBES ] || return 0
    started=$(clock)
    probe_all >"$INCOMING/probe-after"
    failures=$(while read -r address port kind answer; do
        case $answer in
        "none: no answer within "* | 50[234]) answered_before "$address" "$port" || continue ;;
        none:*) ;;
        *) continue ;;
        esac
        case $address in *:*) family=IPv6 ;; *) family=IPv4 ;; esac
        echo "    $address port $port ($family, $kind): ${answer#none: }$(before_was "$address" "$port")"
    done <"$INCOMING/probe-after")
    [ -z "$failures" ] || fail "this machine's haproxy does not serve as it should:
$failures
$(last_words haproxy)"
    say "probe: $(wc -l <"$INCOMING/probe-after") of $(wc -l <$PROBES) listeners answer ($(since "$started") s)"
    if [ -z "$OPENSSL" ] && grep -q ' https' $PROBES; then
        say "probe: certificates were not looked at, openssl is not installed"
    fi
}

# earlier ADDRESS PORT: the answer before the change.
earlier() { sed -n "s/^$1 $2 [a-z]* //p" "$INCOMING/probe-before"; }

answered_before() {
    case $(earlier "$1" "$2") in
    '' | none:* | 50[234]) return 1 ;;
    esac
}

before_was() {
    was=$(earlier "$1" "$2")
    case $was in '' | none:*) ;; *) echo "; before the push: $was" ;; esac
}
