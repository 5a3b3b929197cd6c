#!/bin/sh
# What an application server does with changed files: network, release, service. Sourced by push.sh.
set -eu

APP_UNIT=/etc/systemd/system/app.service
RELEASE_SOCKET=/etc/systemd/system/app-release.socket
APP_GUNICORN=/etc/gunicorn.conf.py # its settings
APP_ENV=/etc/ha-cluster/app.env # LISTEN_ADDRESS, LISTEN_PORT and what the application itself wants
APP_SECRET=/etc/ha-cluster/secrets/app.env

app_server_apply() {
    reload_units
    network_apply
    socket_apply app-release.socket
    if ! owned $APP_UNIT; then
        systemctl -q disable --now app 2>/dev/null || :
        release_forget
        return
    fi
    # Only the first one: whoever moves the link decides from then on.
    release_apply
    start_at_boot app
    release_loads
    if changed $APP_UNIT $APP_GUNICORN $APP_ENV $APP_SECRET || ! systemctl -q is-active app; then
        app_restart
    elif changed "$(readlink -f "$CURRENT")/*"; then
        app_reload
    fi
    unseen=
    if [ -e "$LEAVING_MARK" ] || taken_linked; then unseen=yes; fi
    answers=yes
    wait_for 20 app_answers || answers=
    # Also where it does not: it may be well a moment later, and nobody could tell why load balancers get no answer.
    accept_new
    [ -n "$answers" ] || fail "the application does not answer 200 on http://$(app_address)/healthz: $health
$(last_words app)"
    say "app: answers on $(app_address)"
    # The next server stops only when load balancers send requests here again.
    [ -z "$unseen" ] || sleep "$SEEN_SECONDS"
    if owned $RELEASE_SOCKET; then
        wait_for 20 gives_release || fail "the service that gives the release to others does not answer on port $RELEASE_PORT: $status
$(last_words 'app-release*')"
    fi
    release_settled
}

# It is no neighbour of its own, and is told so.
gives_release() {
    self=$(setting $APP_ENV LISTEN_ADDRESS)
    status=$("$HERE/ask.sh" status "$self" "$RELEASE_PORT" / 3 "$self" 2>&1) || return 1
    [ "$status" = 403 ]
}

# gunicorn 20.1 dies of workers that don't start, now and then only after 30 s: it never gets to see such a release.
# Loaded as the service would, but beside it.
release_loads() {
    [ -e "$CURRENT/wsgi.py" ] || return 0
    systemd-run -q --pipe --wait --collect -p User="$(unit_property app User)" -p PrivateTmp=yes \
        -p EnvironmentFile=$APP_ENV -p EnvironmentFile=-$APP_SECRET -p WorkingDirectory="$CURRENT" -p RuntimeMaxSec=30 \
        /usr/bin/python3 -Bc 'import wsgi' >"$INCOMING/loading" 2>&1 </dev/null ||
        fail "the release does not load:
$(grep -v '^ ' "$INCOMING/loading" | sed 's/^/    /')"
}

# One that serves is first let finish: gunicorn drops connections that it has accepted and not yet read.
app_restart() {
    if systemctl -q is-active app; then
        # shellcheck disable=SC2046 # one word per port
        set -- $(app_ports)
        refuse_new "$@"
        wait_for "$DRAIN_SECONDS" nobody_on "$@" || say "connections that are cut: $(clients "$@")"
    fi
    systemctl reset-failed app 2>/dev/null || :
    systemctl restart app || {
        accept_new
        fail "the application does not start:
$(last_words app)"
    }
    say "app: restarted"
}

# gunicorn starts new workers, then ends the old ones when they have answered what they had.
app_reload() {
    app_workers >"$INCOMING/old-workers"
    systemctl reload app
    wait_for 40 old_workers_gone || fail "the application's old workers go on, the new release does not work:
$(last_words app)"
    say "app: reloaded"
}

app_workers() { ps --no-headers -o pid --ppid "$(unit_property app MainPID)" | tr -d ' '; }

# 2 when gunicorn has died of a release that does not even load.
old_workers_gone() {
    systemctl -q is-active app || return 2
    app_workers >"$INCOMING/workers" || return 1
    [ -s "$INCOMING/workers" ] && ! grep -qxF -f "$INCOMING/old-workers" "$INCOMING/workers"
}

# Where it listens now or did before: it may run on the files of either.
app_ports() {
    {
        setting $APP_ENV LISTEN_PORT
        while read -r tree; do
            [ ! -e "$tree$APP_ENV" ] || setting "$tree$APP_ENV" LISTEN_PORT
        done <"$INCOMING/old-trees"
    } | sort -u
}

app_address() { echo "$(setting $APP_ENV LISTEN_ADDRESS):$(setting $APP_ENV LISTEN_PORT)"; }

app_answers() {
    address=$(setting $APP_ENV LISTEN_ADDRESS)
    [ "$address" != 0.0.0.0 ] || address=127.0.0.1
    health=$("$HERE/ask.sh" http "$address" "$(setting $APP_ENV LISTEN_PORT)" /healthz 3 2>&1)
}
