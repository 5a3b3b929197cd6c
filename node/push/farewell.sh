#!/bin/sh
# farewell.sh ROLE: before this machine is stopped, or goes for good: the others are asked whether they can do without it,
# take over what it does, and then it stops serving. A push, or a boot, has it serve again.
#
#   ROLE  load-balancer, database or app-server
set -eu
umask 022
trap '' HUP PIPE

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/vips.sh"
. "$HERE/keepalived.sh"
. "$HERE/haproxy.sh"
. "$HERE/galera-history.sh"
. "$HERE/galera.sh"
. "$HERE/app-server.sh"
. "$HERE/leaving.sh"

STOPPED=$RUN/stopped # its daemon was, by the farewell that runs
NOTICED_SECONDS=10 # until the load balancers have seen that this machine is not to be asked

load_balancer_leaves() {
    handover
    if holds_vip; then
        end_handover
        fail "no other load balancer took the VIPs, so this one stays: are keepalived and haproxy well there (npm run verify)?"
    fi
    finish_kept
    "$HERE/drain.sh" wait $DRAIN_SECONDS
    : >"$STOPPED"
    systemctl stop keepalived
}

database_leaves() {
    # Also where MariaDB is stopped: what this machine has may be the newest, and its disk may be about to go.
    for peer in $(peers); do
        why=$("$HERE/ask.sh" http "$peer" "$STATUS_PORT" / 3 2>&1) || fail \
            "this database is about to go, and $peer is not synced: ${why:-no answer on port $STATUS_PORT}.
Heal $peer first (systemctl status mariadb there)."
    done
    [ "$(mariadb_state)" = active ] || return 0
    : >"$LEAVING_MARK"
    # Load balancers send new sessions to the next database, and end those that are here.
    wait_for $NOTICED_SECONDS nobody_on 3306 || :
    : >"$STOPPED"
    systemctl stop mariadb
}

app_server_leaves() {
    port=$(setting "$APP_ENV" LISTEN_PORT)
    refuse_new "$port"
    sleep 2 # both checks of the load balancers have failed
    wait_for $DRAIN_SECONDS nobody_on "$port" || say "connections that are left: $(clients "$port")"
    : >"$STOPPED"
    systemctl stop app
}

# Whatever stops it on the way: nobody will stop this machine now, so it serves again.
stays() {
    code=$?
    [ $code -ne 0 ] || return 0
    case $ROLE in
    load-balancer)
        [ ! -e "$STOPPED" ] || systemctl start keepalived || :
        end_handover
        ;;
    # The mark: MariaDB was stopped by a farewell before this one.
    database) if [ -e "$STOPPED" ] || [ -e "$LEAVING_MARK" ]; then systemctl start --no-block mariadb || :; fi ;;
    app-server) [ ! -e "$STOPPED" ] || systemctl start app || : ;;
    esac
    rm -f "$STOPPED"
    stay
}

mkdir -p "$RUN" "$STATE"
if [ -z "${LOCK_IS_HELD-}" ]; then # by patch.sh, whose part this is
    exec 9>"$STATE/lock"
    flock -w 120 9 || fail "a push has been running on this machine for two minutes: wait for it, then try again"
fi
ROLE=${1-}
rm -f "$STOPPED"
trap stays EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
case $ROLE in
load-balancer) load_balancer_leaves ;;
database) database_leaves ;;
app-server) app_server_leaves ;;
*)
    echo "usage: farewell.sh load-balancer|database|app-server" >&2
    exit 2
    ;;
esac
say "$ROLE: serves no more, and may be stopped"
