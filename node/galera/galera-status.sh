#!/bin/sh
# Answers haproxy's health check over HTTP: 200 when this MariaDB node is synced, else 503 and the reason. A second line says what
# data it has, for the other nodes: "has UUID:SEQNO, MODE"; see galera-history.sh.
# For galera-status@.service (Accept=yes, StandardInput=socket), as user mysql or root: both log in over the socket.
set -eu

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/galera-history.sh"

# Nobody may hold a service instance by asking slowly or by letting a question hang.
[ "${1-}" = answer ] || exec timeout -k 1 5 "$0" answer

# The whole request first: closing a socket with unread bytes resets it, and haproxy takes that for a dead server.
carriage_return=$(printf '\r')
while read -r line && [ "${line%"$carriage_return"}" != "" ]; do :; done

values=$(echo "SHOW GLOBAL STATUS WHERE Variable_name IN
    ('wsrep_local_state', 'wsrep_local_state_comment', 'wsrep_ready', 'wsrep_cluster_status',
    'wsrep_cluster_state_uuid', 'wsrep_local_state_uuid', 'wsrep_last_committed')" |
    timeout 2 mariadb --no-defaults --socket=/run/mysqld/mysqld.sock --connect-timeout=2 \
        --batch --skip-column-names 2>/dev/null) || values=
value() { echo "$values" | sed -n "s/^$1	//p"; }

if [ -z "$values" ]; then
    status='503 Service Unavailable' text='MariaDB does not answer'
elif [ -e /run/ha-cluster/leaving ]; then
    status='503 Service Unavailable' text='about to stop (farewell.sh)'
elif [ "$(value wsrep_local_state)" = 4 ] && [ "$(value wsrep_ready)" = ON ]; then
    status='200 OK' text='synced'
else
    status='503 Service Unavailable'
    text="not synced: $(value wsrep_local_state_comment), $(value wsrep_cluster_status), ready $(value wsrep_ready)"
fi

mode=waiting
if [ "$(value wsrep_cluster_status)" = Primary ]; then
    mode=primary has=$(value wsrep_cluster_state_uuid)
else
    has=$(value wsrep_local_state_uuid)
fi
case $has in
*[1-9a-f]*)
    seqno=$(value wsrep_last_committed)
    case $seqno in '' | -*) seqno=unknown ;; esac
    has=$has:$seqno
    ;;
*)
    has=$(position_on_disk)
    if [ -z "$values" ] && marked; then mode=marked; fi
    ;;
esac
text="$text
has $has, $mode"
printf 'HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n' \
    "$status" $((${#text} + 1)) "$text"
