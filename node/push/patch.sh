#!/bin/sh
# Updates of a machine's packages, and reboots; `npm run patch` asks for them, on one machine at a time.
#
#   patch.sh ROLE look          prints what there is to do, one fact a line; touches nothing but apt's lists
#   patch.sh ROLE run REBOOT    farewell, updates, and back to service; or a reboot, after which the boot has it serve. REBOOT
#                               says when: needed, always or never. It comes to its end also when nobody listens any more
#   patch.sh ROLE serves        whether it does what its role is for; if not, why
#
#   ROLE  load-balancer, database or app-server
set -eu
umask 022
trap '' HUP PIPE

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/roles.sh"
. "$HERE/updates.sh"

ENDED=$RUN/patch-ended # exit code of the last run since the machine booted

usage() {
    echo "usage: patch.sh load-balancer|database|app-server look|serves|run needed|always|never" >&2
    exit 2
}

lock() {
    mkdir -p "$RUN" "$STATE" "${REASON%/*}"
    exec 9>"$STATE/lock"
    flock -w 120 9 || fail "a push has been running on this machine for two minutes: wait for it, then try again"
    [ ! -e "$JOURNAL" ] || fail "a push did not come to its end on this machine: pulumi up first"
    rm -rf "$INCOMING"
    mkdir -p "$INCOMING/files"
    : >"$APT_WORDS"
    [ ! -e "$STATE/owned/secrets" ] || while read -r path; do note_secrets "$path"; done <"$STATE/owned/secrets"
}

# serve: what a push does for files that are as they were, but not in force.
serve() {
    stay
    list_unapplied_into "$INCOMING/paths"
    list_old_trees
    apply
    why_not=$(not_serving)
    [ -z "$why_not" ] || fail "$why_not"
}

# not_serving: why not; nothing when it does.
not_serving() {
    case $ROLE in
    load-balancer)
        haproxy_listens || echo "haproxy does not listen on: $(missing_listeners)"
        keepalived_settled || echo "keepalived is not ready to serve ($(group_states))"
        [ ! -e "$MAINTENANCE" ] || grep -qsxF "$PUSH_MARK" "$MAINTENANCE" || echo "it is marked for maintenance ($MAINTENANCE)"
        ;;
    database) status_answers || echo "MariaDB is $(mariadb_state), and not synced: $status" ;;
    app-server) app_answers || echo "the application does not answer 200 on http://$(app_address)/healthz: $health" ;;
    esac
}

# Its daemons start afresh, on whatever they use that is new.
stop_daemons() {
    AWAY=yes # a signal that comes meanwhile is dealt with when the farewell is said
    LOCK_IS_HELD=yes "$HERE/farewell.sh" "$ROLE" || {
        AWAY=
        exit 1
    }
    [ "$ROLE" != load-balancer ] || systemctl stop haproxy
}

return_to_service() {
    step serve
    case $STEP_FAILED in
    '') say "$ROLE: serves again" ;;
    "$GOES_ON") say_reason ;;
    *)
        UNFIT=yes
        complain "$ROLE: does not serve again:"
        say_reason
        ;;
    esac
    AWAY=
    [ -z "$UNFIT" ]
}

run() {
    begun=$(clock)
    if ! { fetch_lists && list_pins && apt_with_pins upgrade --with-new-pkgs --download-only; }; then fail_with_apt upgrade; fi
    stop_daemons
    FAILED=
    step update
    if [ -n "$STEP_FAILED" ]; then
        FAILED=yes
        complain "$ROLE: the updates failed:"
        say_reason
    else
        say "$ROLE: updated ($(since "$begun") s)"
    fi
    why=$(reboot_reasons | paste -s -d ';')
    if [ -z "$FAILED" ] && { [ "$1" = always ] || { [ "$1" = needed ] && [ -n "$why" ]; }; }; then
        say "reboots now: ${why:-asked for}"
        AWAY=
        systemctl reboot
        exit 0
    fi
    return_to_service || FAILED=yes
    [ -z "$FAILED" ]
}

# finish: on every exit but SIGKILL.
finish() {
    code=$?
    set +e
    trap '' INT TERM
    if [ -n "$AWAY" ]; then
        return_to_service || code=1
    fi
    if [ -z "$UNFIT" ]; then end_handover; else keep_handover; fi
    allow_starts
    rm -rf "$INCOMING" "$REASON"
    echo $code >"$ENDED"
    exit $code
}

[ $# -ge 2 ] || usage
# A push of secrets says nothing of versions: those that are installed stay.
ROLE=$1 BUNDLE=secrets WAY_BACK='' AWAY='' BEGAN=$(clock)
case $ROLE in load-balancer | database | app-server) ;; *) usage ;; esac
case $2 in
look)
    look
    exit 0
    ;;
serves)
    why_not=$(not_serving)
    [ -z "$why_not" ] || fail "$why_not"
    exit 0
    ;;
run) ;;
*) usage ;;
esac
case ${3-} in needed | always | never) ;; *) usage ;; esac
lock
rm -f "$ENDED"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
allow_starts
run "$3"
