#!/bin/sh
# One question over a socket, with a deadline that also holds when the other side is stopped.
#
#   ask.sh unix SOCKET COMMAND [SECONDS]     prints the answer; 1 when nobody answers, 2 when it takes too long
#   ask.sh http ADDRESS PORT PATH [SECONDS]  prints the body; 1 unless the answer is 200
#   ask.sh status ADDRESS PORT PATH SECONDS SOURCE   prints the status, 200; "none: WHY" and 1 without one
#   ask.sh tcp ADDRESS PORT [SECONDS [SOURCE]]       prints open, closed (refused) or silent (no answer)
#
# SOURCE is the address to ask from; the kernel's choice unless given.
#
# perl-base is part of every Debian and Ubuntu, curl and socat are not; it starts in 5 ms, python in 20.
set -eu

case $1 in
unix)
    exec perl -MSocket -e '
        my ($path, $command, $seconds) = @ARGV;
        $SIG{ALRM} = sub { print STDERR "no answer on $path within $seconds s\n"; exit 2 };
        alarm($seconds);
        my $socket;
        socket($socket, AF_UNIX, SOCK_STREAM, 0) && connect($socket, pack_sockaddr_un($path))
            or print(STDERR "cannot connect to $path: $!\n"), exit 1;
        syswrite($socket, "$command\n");
        shutdown($socket, 1); # the master of haproxy keeps the connection open for more
        my $answer = join("", <$socket>);
        print $answer;
        exit($answer eq "" ? 1 : 0);
    ' -- "$2" "$3" "${4:-2}"
    ;;
http)
    exec perl -MIO::Socket::IP -e '
        my ($address, $port, $path, $seconds) = @ARGV;
        $SIG{ALRM} = sub { print STDERR "no answer from $address port $port within $seconds s\n"; exit 1 };
        alarm($seconds);
        my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port)
            or print(STDERR "cannot connect to $address port $port: $!\n"), exit 1;
        my $host = $address =~ /:/ ? "[$address]" : $address;
        print $socket "GET $path HTTP/1.0\r\nHost: $host:$port\r\nConnection: close\r\n\r\n";
        $socket->flush;
        my ($head, $body) = split(/\r?\n\r?\n/, join("", <$socket>), 2);
        my ($status) = split(/\r?\n/, $head // "");
        if (($status // "") =~ m{^HTTP/\S+ 200 }) { print $body // ""; exit 0 }
        print STDERR ($status // "empty answer"), " ", $body // "", "\n";
        exit 1;
    ' -- "$2" "$3" "$4" "${5:-3}"
    ;;
status)
    exec perl -MIO::Socket::IP -e '
        my ($address, $port, $path, $seconds, $source) = @ARGV;
        sub none { print "none: @_\n"; exit 1 }
        $SIG{ALRM} = sub { none("no answer within $seconds s") };
        alarm($seconds);
        my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port, LocalHost => $source)
            or none("cannot connect: $!");
        my $host = $address =~ /:/ ? "[$address]" : $address;
        print $socket "GET $path HTTP/1.0\r\nHost: $host:$port\r\nConnection: close\r\n\r\n";
        $socket->flush;
        my $line = <$socket> // "";
        none("no HTTP answer, the connection was closed") unless $line =~ m{^HTTP/\S+ (\d+)};
        print "$1\n";
    ' -- "$2" "$3" "$4" "$5" "$6"
    ;;
tcp)
    exec perl -MIO::Socket::IP -MErrno=ECONNREFUSED -e '
        my ($address, $port, $seconds, $source) = @ARGV;
        $SIG{ALRM} = sub { print "silent\n"; exit 0 };
        alarm($seconds);
        my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port, $source ? (LocalHost => $source) : ());
        print $socket ? "open\n" : $! == ECONNREFUSED ? "closed\n" : "silent\n";
    ' -- "$2" "$3" "${4:-2}" "${5:-}"
    ;;
*)
    echo "usage: ask.sh unix|http|tcp …" >&2
    exit 2
    ;;
esac
