# Asks IPv4 addresses for an ICMP echo by the clock: pings.pl OUTPUT SECONDS INTERVAL_MS TIMEOUT_MS ADDRESS...
#
# Writes a line "SENT_AT ADDRESS MILLISECONDS" for each, in milliseconds; "-" when no answer came in time. ping(8) is not
# everywhere, and does not tell of what was not answered. Only modules of perl-base.
use strict;
use warnings;
use Socket;
use Time::HiRes qw(time);

my ($output, $seconds, $interval, $timeout, @addresses) = @ARGV;
my $id = $$ & 0xffff;
open(my $out, ">>", $output) or die "$output: $!";
socket(my $socket, AF_INET, SOCK_RAW, getprotobyname("icmp") || 1) or die "socket: $!";

my ($begin, $sequence) = (time, 0);
my %open;     # sequence number => [sent at, index of the address]
my $number = 0;
while (time - $begin < $seconds) {
    my $due = $begin + $number * $interval / 1000;
    my $wait = $due - time;
    if ($wait <= 0) {
        send_one($_) for 0 .. $#addresses;
        $number++;
        give_up();
        next;
    }
    my $bits = "";
    vec($bits, fileno($socket), 1) = 1;
    receive() if select($bits, undef, undef, $wait) > 0;
}

sub send_one {
    my ($index) = @_;
    $sequence = ($sequence + 1) & 0xffff;
    my $packet = pack("C2 n3", 8, 0, 0, $id, $sequence);
    $packet = pack("C2 n3", 8, 0, checksum($packet), $id, $sequence);
    $open{$sequence} = [time, $index];
    send($socket, $packet, 0, pack_sockaddr_in(0, inet_aton($addresses[$index]))) or tell_of($sequence, "-");
}

sub receive {
    defined(my $from = recv($socket, my $packet, 1500, 0)) or return;
    my $length = (unpack("C", $packet) & 15) * 4;
    my ($type, undef, undef, $its_id, $its_sequence) = unpack("C2 n3", substr($packet, $length, 8));
    return unless defined $its_sequence && $type == 0 && $its_id == $id && $open{$its_sequence};
    tell_of($its_sequence, sprintf("%.1f", (time - $open{$its_sequence}[0]) * 1000));
}

sub give_up {
    tell_of($_, "-") for grep { time - $open{$_}[0] > $timeout / 1000 } keys %open;
}

sub tell_of {
    my ($its_sequence, $what) = @_;
    my ($at, $index) = @{ delete $open{$its_sequence} };
    syswrite($out, sprintf("%.0f %s %s\n", $at * 1000, $addresses[$index], $what));
}

sub checksum {
    my $sum = 0;
    $sum += $_ for unpack("n*", $_[0]);
    $sum = ($sum >> 16) + ($sum & 0xffff) while $sum >> 16;
    return ~$sum & 0xffff;
}
