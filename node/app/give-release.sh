#!/bin/sh
# Gives the running release to another server of the group, over HTTP: its path below /srv/app as a header, then the folder as a tar
# stream and a line that only a whole one ends with. Of the sample the path alone: every push brings it.
# For app-release@.service (Accept=yes, StandardInput=socket). The link alone says which release runs.
#
#   200  "Release: PATH", the stream, "==> end"
#   403  who asks is no neighbour
#   409  a release runs that is not given, and why
#   503  none runs
set -eu

NEIGHBOURS=/etc/ha-cluster/neighbours
APP=/srv/app

# The whole request first: closing a socket with unread bytes resets it, and the answer may be lost.
hear() {
    carriage_return=$(printf '\r')
    while read -r line && [ "${line%"$carriage_return"}" != "" ]; do :; done
}

# head_of STATUS TYPE [HEADER]
head_of() {
    printf 'HTTP/1.1 %s\r\nContent-Type: %s\r\nConnection: close\r\n' "$1" "$2"
    [ -z "${3-}" ] || printf '%s\r\n' "$3"
    printf '\r\n'
}

# say_no STATUS TEXT
say_no() {
    head_of "$1" text/plain
    printf '%s\n' "$2"
    exit 0
}

if [ "${1-}" = hear ]; then
    hear
    exit 0
fi
timeout 5 "$0" hear || exit 0

grep -qsxF -e "${REMOTE_ADDR:-nobody}" $NEIGHBOURS ||
    say_no '403 Forbidden' "${REMOTE_ADDR:-nobody} is no neighbour of this server ($NEIGHBOURS)"
release=$(readlink -e $APP/current) || say_no '503 Service Unavailable' "no release runs here: $APP/current leads nowhere"
root=$(readlink -e $APP)
path=${release#"$root"/}
case $path in
/* | .* | */.* | *[!A-Za-z0-9._@+/-]* | releases)
    say_no '409 Conflict' "its release is $release, and only a folder below $APP/releases with a plain name is given"
    ;;
esac
cd -P "$release" 2>/dev/null || say_no '409 Conflict' "its release $release is no folder"
# A folder that was swapped for a link meanwhile.
[ "$(pwd -P)" = "$release" ] || say_no '409 Conflict' "its release $release leads to $(pwd -P)"
[ "$path" != current ] || path=releases/current

head_of '200 OK' application/gzip "Release: $path"
# The exit code is that of both programs, and not 0 when a file could not be read or has changed meanwhile.
[ "$path" = releases/sample ] || tar -I 'gzip -1' -cf - .
echo '==> end'
