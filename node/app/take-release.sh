#!/bin/sh
# Where a server without a release gets its first one: from the others of its group, or, in the first build, from the push
# itself. Sourced by push.sh and app-founding.sh; see give-release.sh for what they answer.
#
# It comes, and lies beside, before anything is touched; the apply then links it.
set -eu

APP=/srv/app
CURRENT=$APP/current
SAMPLE=releases/sample
NEIGHBOURS=/etc/ha-cluster/neighbours
RELEASE_PORT=9201
MAY_SERVE_SAMPLE=$STATE/may-serve-sample # until this machine has served; see app-founding.sh
TAKEN=$STATE/taken-release               # path of the release that the push under way has linked, until it has settled
STREAM=$APP/.ha-cluster-taken.tar.gz
UNPACKED=$APP/.ha-cluster-taken
ASK_SECONDS=15
NONE_COMES='docs/recover.md of ha-cluster, "No release comes"'

# release_linked: by anybody but a push that did not come to its end.
release_linked() { exists $CURRENT && ! taken_linked; }

taken_linked() { [ -s "$TAKEN" ] && [ "$(readlink $CURRENT)" = "$(cat "$TAKEN")" ]; }

# release_take: before anything is touched.
release_take() {
    release_drop
    if [ "$BUNDLE" = files ] && [ ! -e "$INCOMING/files$APP_UNIT" ]; then return 0; fi
    if release_linked; then return 0; fi
    if [ -e "$MAY_SERVE_SAMPLE" ]; then
        echo $SAMPLE >"$INCOMING/release"
        return 0
    fi
    neighbours=$INCOMING/files$NEIGHBOURS
    [ -e "$neighbours" ] || neighbours=$NEIGHBOURS
    : >"$INCOMING/answers"
    # Others may be in the middle of a boot.
    wait_for $ASK_SECONDS ask_neighbours || fail "this server has no release, and nobody in its group gives it one:
$(cat "$INCOMING/answers")
Heal one of them (systemctl status app app-release.socket), then push again. If there is none to heal, see
$NONE_COMES."
}

# ask_neighbours: 2 when there are none. A release goes before the sample, which nobody but a group that is being built runs.
ask_neighbours() {
    : >"$INCOMING/answers"
    if ! grep -qs . "$neighbours"; then
        echo "    it is the only server of its group" >"$INCOMING/answers"
        return 2
    fi
    sample='' other=''
    while read -r neighbour; do
        [ -n "$neighbour" ] || continue
        code=0
        path=$(fetch_release "$neighbour" 2>"$INCOMING/why") || code=$?
        if [ $code -eq 0 ] && [ "$path" = $SAMPLE ]; then
            sample=$neighbour
            continue
        fi
        if [ $code -eq 0 ] && unpack_release "$path" >"$INCOMING/why" 2>&1; then
            echo "$path" >"$INCOMING/release"
            say "release: $path, from $neighbour"
            return 0
        fi
        release_drop
        [ $code -eq 1 ] || other=yes
        echo "    $neighbour: $(head -n 3 "$INCOMING/why")" >>"$INCOMING/answers"
    done <"$neighbours"
    if [ -z "$sample" ] || [ -n "$other" ]; then return 1; fi
    echo $SAMPLE >"$INCOMING/release"
    say "release: the sample, as on $sample"
}

# fetch_release ADDRESS: prints the path of its release, whose stream lies in $STREAM. 1 when it runs none, as far as anybody knows, 2
# when it runs one that did not come whole.
fetch_release() {
    (umask 022 && mkdir -p $APP)
    perl -MIO::Socket::IP -e '
        my ($address, $port, $file) = @ARGV;
        my ($code, $end) = (1, "==> end\n");
        sub give_up { print STDERR "@_\n"; exit $code }
        $SIG{ALRM} = sub { give_up("no answer in time on port $port") };
        alarm(5);
        my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port)
            or give_up("cannot connect to port $port: $!");
        print $socket "GET / HTTP/1.0\r\nHost: $address:$port\r\nConnection: close\r\n\r\n";
        $socket->flush;
        my $body = "";
        while (index($body, "\r\n\r\n") < 0) {
            alarm(10);
            sysread($socket, $body, 65536, length $body) or give_up("its answer on port $port was cut");
            give_up("no HTTP answer on port $port") if length $body > 100_000;
        }
        (my $head, $body) = split(/\r\n\r\n/, $body, 2);
        my ($status) = $head =~ m{^HTTP/\S+ (\d+)} or give_up("no HTTP answer on port $port");
        $code = 2 unless $status =~ /^(403|503)$/;
        if ($status != 200) {
            while (length $body < 1000) { alarm(10); sysread($socket, $body, 1000, length $body) or last }
            $body =~ s/[^ -~]+/ /g;
            give_up($body);
        }
        my ($path) = $head =~ /^Release: (\S+)\r?$/m or give_up("no release in its answer on port $port");
        open(my $out, "+>", $file) or give_up("$file: $!");
        my $size = 0;
        do {
            print $out $body or give_up("$file: $!");
            $size += length $body;
            alarm(30);
        } while (sysread($socket, $body, 262144));
        alarm(0);
        $out->flush or give_up("$file: $!");
        my $last = "";
        seek($out, $size - length $end, 0) and read($out, $last, length $end) if $size >= length $end;
        give_up("its release $path did not come whole, only $size bytes of it") if $last ne $end;
        truncate($out, $size - length $end) && close($out) or give_up("$file: $!");
        print "$path\n";
    ' -- "$1" $RELEASE_PORT $STREAM
}

# unpack_release PATH: to $UNPACKED. tar itself lets no member and no link lead out of the folder.
unpack_release() {
    case /$1/ in
    */.* | *//* | /releases/ | /current/ | *[!A-Za-z0-9._@+/-]*)
        echo "its release is called $1"
        return 1
        ;;
    esac
    if exists "$APP/$1" && [ "$1" != "$(cat "$TAKEN" 2>/dev/null)" ]; then
        echo "its release is $APP/$1, and here is something of that name: remove it, or link it ($CURRENT)"
        return 1
    fi
    mkdir -m 0755 $UNPACKED &&
        tar -xzpf $STREAM -C $UNPACKED || return 1
    rm -f $STREAM
    odd=$(find $UNPACKED ! -type f ! -type d ! -type l | head -n 1)
    if [ -n "$odd" ]; then
        echo "${odd#"$UNPACKED"/} of its release $1 is neither file, folder nor link"
        return 1
    fi
    # Its code runs as www-data; nothing that comes from another machine may make it root.
    find $UNPACKED -type f -perm /6000 -exec chmod ug-s {} + && sync -f $UNPACKED
}

# release_apply: links what came, unless somebody has linked a release meanwhile.
release_apply() {
    if release_linked; then return 0; fi
    # On the way back it is all that there is.
    if [ -n "$WAY_BACK" ] && exists $CURRENT; then return 0; fi
    [ -s "$INCOMING/release" ] || fail "this server has no release: $CURRENT is missing"
    release_forget
    path=$(cat "$INCOMING/release")
    echo "$path" >"$TAKEN"
    sync "$TAKEN"
    if [ -d $UNPACKED ]; then
        (umask 022 && mkdir -p "$APP/${path%/*}")
        mv -T $UNPACKED "$APP/$path"
    fi
    ln -s "$path" $CURRENT
    say "release: $CURRENT leads to $path"
}

# release_forget: what a push linked that did not come to its end, so that the next one asks anew.
release_forget() {
    [ -s "$TAKEN" ] || return 0
    path=$(cat "$TAKEN")
    if taken_linked; then rm -f $CURRENT; fi
    if [ "$path" != $SAMPLE ] && ! exists $CURRENT; then rm -rf "${APP:?}/$path"; fi
    rm -f "$TAKEN"
}

release_settled() { rm -f "$TAKEN" "$MAY_SERVE_SAMPLE"; }

# release_drop: what came and was not linked.
release_drop() {
    [ -d $APP ] || return 0
    rm -rf $STREAM $UNPACKED
    rmdir $APP 2>/dev/null || :
}
