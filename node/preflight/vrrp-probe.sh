#!/bin/sh
# What raw VRRP packets tell before a cluster is there.
#
#   vrrp-probe.sh listen SECONDS INTERFACE…      prints a line per sender and kind:
#                                                  advert INTERFACE SOURCE VRID      somebody's VRRP instance
#                                                  seen   INTERFACE SOURCE WORD      sent by "vrrp-probe.sh send"
#                                                  passed - SOURCE WORD              the same, past this machine's firewall
#   vrrp-probe.sh send WORD FROM TO…             sends each TO three packets that bear WORD and the source FROM
#
# The packets of "send" have VRID 0 and version 0, which are nobody's (RFC 5798): a running keepalived passes over them.
# FROM need not be an address of this machine: that is how the hypervisor's ACL is asked whether a VIP may be used here.
# Needs root (raw sockets).
set -eu

case ${1-} in
listen)
    shift
    exec perl -MSocket=:all -MTime::HiRes=time -e '
        my ($seconds, @interfaces) = @ARGV;
        my %sockets;
        for my $interface (@interfaces) {
            # All frames, before any firewall of this machine: "what is on the segment"; ETH_P_ALL.
            socket(my $socket, 17, SOCK_RAW, unpack("n", pack("S", 3))) or die "cannot listen: $!\n";
            my $request = pack("a16x24", $interface);
            ioctl($socket, 0x8933, $request) or die "no interface $interface\n"; # SIOCGIFINDEX, netdevice(7)
            my $index = unpack("x16l", $request);
            bind($socket, pack("SnlSCCx8", 17, 3, $index, 0, 0, 0)) or die "cannot listen on $interface: $!\n";
            # A network card drops multicast that nobody asked for: PACKET_ADD_MEMBERSHIP, PACKET_MR_ALLMULTI, packet(7).
            setsockopt($socket, 263, 1, pack("lSSx8", $index, 2, 0)) or die "cannot listen on $interface: $!\n";
            $sockets{fileno $socket} = [$interface, $socket];
        }
        # And what the firewall lets through to this machine.
        my %raw;
        for my $family (AF_INET, AF_INET6) {
            socket(my $socket, $family, SOCK_RAW, 112) or next;
            $raw{fileno $socket} = $socket;
        }
        my $end = time + $seconds;
        my %seen;
        $| = 1;
        print "ready\n";
        while ((my $left = $end - time) > 0) {
            my $bits = "";
            vec($bits, $_, 1) = 1 for keys %sockets, keys %raw;
            select($bits, undef, undef, $left) or next;
            for my $number (keys %sockets) {
                vec($bits, $number, 1) or next;
                my ($interface, $socket) = @{$sockets{$number}};
                my $from = recv($socket, my $frame, 2048, 0);
                next if !defined $from or (unpack("SnlSC", $from))[4] == 4; # own frames
                my ($source, $payload) = vrrp(substr($frame, 14)) or next;
                report($interface, $source, $payload, 0);
            }
            for my $number (keys %raw) {
                vec($bits, $number, 1) or next;
                my $from = recv($raw{$number}, my $packet, 2048, 0);
                next unless defined $from;
                my ($source, $payload) = sockaddr_family($from) == AF_INET
                    ? vrrp($packet)
                    : (inet_ntop(AF_INET6, (unpack_sockaddr_in6($from))[1]), $packet);
                report("-", $source, $payload, 1) if defined $payload;
            }
        }

        sub vrrp {
            my ($packet) = @_;
            my $version = ord($packet) >> 4;
            if ($version == 4 && length $packet >= 28 && ord(substr($packet, 9)) == 112) {
                return (inet_ntoa(substr($packet, 12, 4)), substr($packet, (ord($packet) & 15) * 4));
            }
            if ($version == 6 && length $packet >= 48 && ord(substr($packet, 6)) == 112) {
                return (inet_ntop(AF_INET6, substr($packet, 8, 16)), substr($packet, 40));
            }
            return;
        }

        sub report {
            my ($interface, $source, $payload, $passed) = @_;
            my ($kind, $vrid) = unpack("CC", $payload);
            my ($word) = $payload =~ /ha-cluster (\w+)/;
            my $ours = defined $word && $kind == 0 && $vrid == 0;
            my $line = $ours ? ($passed ? "passed" : "seen") . " $interface $source $word"
                : !$passed && ($kind == 0x21 || $kind == 0x31) ? "advert $interface $source $vrid" : undef;
            print "$line\n" if defined $line && !$seen{$line}++;
        }
    ' -- "$@"
    ;;
send)
    shift
    exec perl -MSocket=:all -e '
        my ($word, $from, @to) = @ARGV;
        my $payload = pack("CC", 0, 0) . "ha-cluster $word";
        my $family = $from =~ /:/ ? AF_INET6 : AF_INET;
        # IPPROTO_RAW: the header is ours, in both families and on every kernel.
        socket(my $socket, $family, SOCK_RAW, 255) or die "cannot send: $!\n";
        my $failed = 0;
        for my $to (@to) {
            my ($source, $target) = map { inet_pton($family, $_) // die "not an address of one family: $_\n" } $from, $to;
            my $packet = $family == AF_INET
                ? pack("CCnnnCCn", 0x45, 0xc0, 20 + length $payload, 0, 0, 255, 112, 0) . $source . $target . $payload
                : pack("NnCC", 0x60000000, length $payload, 112, 255) . $source . $target . $payload;
            my $place = $family == AF_INET ? pack_sockaddr_in(0, $target) : pack_sockaddr_in6(0, $target);
            for (1 .. 3) {
                send($socket, $packet, 0, $place) or $failed = print STDERR "$from to $to: $!\n";
            }
        }
        exit $failed;
    ' -- "$@"
    ;;
*)
    sed -n 's/^# \{0,1\}//; 2,/Needs root/p' "$0" >&2
    exit 2
    ;;
esac
