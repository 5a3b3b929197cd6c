#!/bin/sh
# A load balancer that hands its VIPs over goes on answering the connections it has: the one that takes the VIPs
# relays to it what it doesn't know itself (relay.nft), for as long as this machine says that it is draining.
#
#   drain.sh run           for ha-cluster-drain.service: says so, until no connection to a VIP is left here, or for ten minutes
#   drain.sh wait SECONDS  until it is over, for whoever would end these connections; never longer than SECONDS
set -eu

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/vips.sh"
. "$HERE/keepalived.sh"
. "$HERE/haproxy.sh"

DRAINING=$RUN/draining # the other load balancers know that this one drains
SETTINGS=/etc/ha-cluster/relay
PEERS=/etc/ha-cluster/relay-peers # lines "INTERNAL MAC LINK-LOCAL"
LIMIT=600                         # seconds; as hard-stop-after in haproxy.cfg
QUIET=3                           # seconds that neighbours may need to learn where a VIP is now

# announce: a datagram to this machine and to every peer, five times a second; its sender's address is all that counts.
announce() {
    # shellcheck disable=SC2046 # one word per peer
    exec perl -MSocket -e '
        my ($self, $port, @peers) = @ARGV;
        socket(my $socket, AF_INET, SOCK_DGRAM, 0) or die "no socket: $!\n";
        bind($socket, pack_sockaddr_in(0, inet_aton($self)))
            or die "cannot send from $self: $!\n";
        while (1) {
            send($socket, "draining", 0, pack_sockaddr_in($port, inet_aton($_))) for $self, @peers;
            select(undef, undef, undef, 0.2);
        }
    ' -- "$(setting $SETTINGS INTERNAL)" "$(setting $SETTINGS DRAIN_PORT)" $(cut -d ' ' -f 1 $PEERS)
}

run() {
    mkdir -p "$RUN"
    announce &
    announcer=$!
    trap 'rm -f $DRAINING; kill $announcer' EXIT
    trap 'exit 0' INT TERM
    sleep 0.5 # two or three datagrams
    kill -0 $announcer # it says itself why not
    : >$DRAINING
    began=$(clock) gone=
    while [ $(($(clock) - began)) -lt $((LIMIT * 100)) ]; do
        if holds_vip; then
            gone=
            # Nobody took them, or they are back.
            [ -e "$RUN/maintenance" ] || return 0
        else
            [ -n "$gone" ] || finish_unless_pushed
            : "${gone:=$(clock)}"
            if [ $(($(clock) - gone)) -ge $((QUIET * 100)) ] && drained; then return 0; fi
        fi
        sleep 0.5
    done
    say "drained for $LIMIT s; connections that are left: $(connections | wc -l)"
}

# A push, and a farewell, does it itself, when it has placed its files.
finish_unless_pushed() { grep -qsxF "$PUSH_MARK" "$MAINTENANCE" || finish_kept; }

# connections: of clients. What is left in TIME-WAIT has been answered, and the last packets between a probe on this
# machine and a VIP that has just gone never arrive: such a connection would be waited for a minute or two. So would one in
# FIN-WAIT-2 that no process has any more: its client has had everything, and has not closed its own end, as an application
# does that keeps connections to its database.
connections() {
    while read -r _ address; do
        case $address in
        *:*) ss -Htne state connected exclude time-wait src "[${address%/*}]" not dst '[::1]' ;;
        *) ss -Htne state connected exclude time-wait src "${address%/*}" not dst 127.0.0.0/8 ;;
        esac
    done <$VIPS | grep -Ev '^FIN-WAIT-2 .* ino:0 ' || :
}

drained() { [ -z "$(connections)" ]; }

over() { [ ! -e $DRAINING ] || { ! holds_vip && drained; }; }

case "$1" in
run) run ;;
wait) wait_for "$2" over || say "connections that are left: $(connections | wc -l)" ;;
*)
    echo "usage: drain.sh run|wait SECONDS" >&2
    exit 2
    ;;
esac
