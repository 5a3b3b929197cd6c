# What a load balancer has and says of itself, 25 times a second: holders.pl OUTPUT SECONDS INTERVAL_MS
#
# Writes a line "MILLISECONDS STATE HAPROXY ADDRESS..." whenever something changed, and five times a second: keepalived's state as
# its notify script keeps it (or "-"), 1 when haproxy answered within a second, and the VIPs that are on an interface.
# Reads /proc instead of starting ip(8), so that it costs next to nothing. Only modules of perl-base.
use strict;
use warnings;
use Socket;
use Time::HiRes qw(time sleep);

my ($output, $seconds, $interval) = @ARGV;
my @vips = map { (split(/\s+/))[1] =~ s{/.*}{}r } read_lines("/etc/ha-cluster/vips");
my %written = map { $_ => /:/ ? unpack("H*", Socket::inet_pton(AF_INET6, $_)) : $_ } @vips;

open(my $out, ">>", $output) or die "$output: $!";
my $end = time + $seconds;
my ($last, $last_at) = ("", 0);
my ($haproxy, $asked_at, $socket) = (undef, 0, undef);

while (time < $end) {
    ask_haproxy();
    sleep($interval / 1000), next unless defined $haproxy;
    my $told = join(" ", state(), $haproxy, held());
    my $now = time;
    if ($told ne $last || $now - $last_at >= 0.2) {
        syswrite($out, sprintf("%.0f %s\n", $now * 1000, $told));
        ($last, $last_at) = ($told, $now);
    }
    sleep($interval / 1000);
}

sub held {
    my %ipv6 = map { (split)[0] => 1 } read_lines("/proc/net/if_inet6");
    # The trie of local routes: an address on a line of its own, "/32 host LOCAL" on the next.
    my (%ipv4, $address);
    for (read_lines("/proc/net/fib_trie")) {
        if (/\|-- (\S+)/) { $address = $1 }
        elsif (m{/32 host LOCAL}) { $ipv4{$address} = 1 }
    }
    return grep { /:/ ? $ipv6{ $written{$_} } : $ipv4{$_} } @vips;
}

sub state {
    for (glob("/run/ha-cluster/group-*")) {
        my ($state) = read_lines($_);
        return $state if $_ !~ /\.new$/ && ($state // "") =~ /^[A-Z]+$/;
    }
    return "-";
}

# Never waits: asks in one round, and looks for the answer in the next ones.
sub ask_haproxy {
    if ($socket) {
        my $bits = "";
        vec($bits, fileno($socket), 1) = 1;
        if (select($bits, undef, undef, 0)) {
            $haproxy = sysread($socket, my $answer, 4096) ? 1 : 0;
            undef $socket;
        }
        elsif (time - $asked_at > 1) {
            $haproxy = 0;
            undef $socket;
        }
        return;
    }
    return if time - $asked_at < 0.2;
    $asked_at = time;
    socket($socket, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
    if (!connect($socket, pack_sockaddr_un("/run/haproxy/admin.sock"))) {
        ($haproxy, $socket) = (0, undef);
        return;
    }
    syswrite($socket, "show info\n");
}

sub read_lines {
    open(my $file, "<", $_[0]) or return ();
    chomp(my @lines = <$file>);
    return @lines;
}
