#!/bin/sh
# MariaDB as a node of a Galera cluster: found it, join it, restart without hurting it. Sourced by push.sh.
set -eu

GALERA_CONFIG=/etc/mysql/mariadb.conf.d/60-ha-cluster.cnf
SETTLE_SECONDS=20 # after a reboot it recovers and joins by itself, in 5 s as a rule

# sql: runs its standard input as root; never hangs on a node that does.
sql() {
    timeout -k 2 15 mariadb --no-defaults --socket=/run/mysqld/mysqld.sock --user=root \
        --connect-timeout=3 --batch --skip-column-names
}

# A client that can't connect may be gone before it is asked, of which echo would tell.
wsrep() { { echo "SHOW GLOBAL STATUS LIKE 'wsrep_$1'" | sql | cut -f 2; } 2>/dev/null; }

mariadb_state() { systemctl show -p ActiveState --value mariadb; }

# galera_refuses_change CHANGES: refuses, before anything is touched, what a running cluster would suffer from.
galera_refuses_change() {
    if transferring; then return; fi
    wait_for $SETTLE_SECONDS mariadb_settled || fail \
        "MariaDB has been '$(mariadb_state)' on this machine for $SETTLE_SECONDS s and more.
$(way_out)"
    if [ "$(mariadb_state)" = active ]; then
        ask_membership
        if in_cluster; then
            ! grep -q " $GALERA_CONFIG\$" "$1" || galera_refuses_restart
            return
        fi
    fi
    galera_refuses_start
}

galera_refuses_restart() {
    for peer in $(peers); do
        why=$("$HERE/ask.sh" http "$peer" "$STATUS_PORT" / 3 2>&1) || fail \
            "a change of $GALERA_CONFIG restarts MariaDB here, and $peer is not synced: ${why:-no answer on port $STATUS_PORT}.
Heal $peer first (systemctl status mariadb there), then push again."
    done
    may_start "$GALERA"
}

# galera_refuses_start: in a subshell; what this push brings counts, as far as it brings it.
galera_refuses_start() {
    facts=$INCOMING/files$GALERA
    [ -e "$facts" ] || facts=$GALERA
    [ -e "$facts" ] || return 0
    GALERA=$facts
    decide_patiently
    case $DECISION in
    join) may_start "$facts" ;;
    wait) fail "$WHY" ;;
    esac
}

may_start() { why=$("$HERE/galera-guard.sh" ask "$1" 2>&1) || fail "$why"; }

# decide_patiently: like decide. On a first build the others may still be booting, and nodes that look for each other
# after a power cut are joined by one that has data; the guard sees to it that it keeps them.
decide_patiently() {
    for peer in $(peers); do
        wait_for 60 peer_answers "$peer" || fail \
            "cannot tell whether a cluster exists: $peer does not answer (port $GALERA_PORT: neither open nor closed).
Start that machine and let the database servers reach each other on port $GALERA_PORT, then push again."
    done
    recover_position
    decide nothing
    [ "$DECISION" != join ] || return 0
    if [ "$MINE" = nothing ] && [ -n "$(of_table data)" ]; then return; fi
    for peer in $(peers); do
        [ "$("$HERE/ask.sh" tcp "$peer" "$GALERA_PORT" 2)" = closed ] || DECISION='join'
    done
}

peer_answers() { [ "$("$HERE/ask.sh" tcp "$1" "$GALERA_PORT" 2)" != silent ]; }

# A MariaDB that the image or the package's installation left running belongs to no cluster, and says so. Ask first
# whether it answers at all: a busy one may be the last that has the data.
in_cluster() { [ -n "$(wsrep cluster_state_uuid)" ] && [ "$(wsrep cluster_size)" != 0 ]; }

answers_sql() { { echo 'SELECT 1' | sql; } >/dev/null 2>&1; }

ask_membership() {
    wait_for $SETTLE_SECONDS answers_sql || fail \
        "MariaDB runs on this machine, but has not answered for $SETTLE_SECONDS s; it is left as it is.
See what keeps it from it (mariadb -e 'SHOW PROCESSLIST'; journalctl -u mariadb), then push again."
}

galera_apply() {
    if ! owned $GALERA_CONFIG; then
        stop_mariadb
        systemctl -q disable mariadb
        return
    fi
    case $(mariadb_state) in
    active)
        ask_membership
        if ! in_cluster; then
            stop_mariadb
            found_or_join
        elif changed $GALERA_CONFIG; then
            restart_mariadb
        fi
        ;;
    *)
        if [ -z "$WAY_BACK" ] && transferring; then
            say "mariadb: a state transfer is under way, from before this push"
            wait_for_sync 0
        else
            # Not active, or a start of this very push that hangs and is being taken back.
            stop_mariadb
            found_or_join
        fi
        ;;
    esac
    start_at_boot mariadb
    : >"$JOINED"
    rm -f "$MAY_FOUND"
}

# A node that waits for its cluster ignores SIGTERM for minutes; it serves nobody, so it may be killed.
stop_mariadb() {
    case $(mariadb_state) in
    active) systemctl stop mariadb ;;
    activating | deactivating | reloading)
        systemctl kill -s KILL mariadb
        systemctl stop --no-block mariadb
        wait_for 20 mariadb_stopped || fail "MariaDB does not even die of SIGKILL: reboot this machine"
        ;;
    esac
    systemctl reset-failed mariadb 2>/dev/null || :
}

mariadb_settled() { [ "$(mariadb_state)" = active ] || mariadb_stopped; }

mariadb_stopped() { case $(mariadb_state) in inactive | failed) ;; *) return 1 ;; esac }

restart_mariadb() {
    started=$(clock)
    before=$(systemctl show -p MainPID --value mariadb)
    systemctl restart --no-block mariadb
    wait_for_sync "$before"
    say "mariadb: restarted and synced after $(since "$started") s, $(wsrep cluster_size) nodes"
}

found_or_join() {
    started=$(clock)
    decide_patiently
    case $DECISION in
    found)
        # Comes back when MariaDB is up.
        timeout "$SYNC_SECONDS" galera_new_cluster || fail "MariaDB does not start:
$(last_words mariadb)"
        wait_for_sync 0
        say "mariadb: started the cluster ($(since "$started") s)"
        ;;
    join)
        systemctl start --no-block mariadb
        wait_for_sync 0
        say "mariadb: joined and synced after $(since "$started") s, $(wsrep cluster_size) nodes"
        ;;
    wait) fail "$WHY" ;;
    esac
}

way_out() {
    cat <<TEXT
Database servers that lost their power together wait for each other for ever if not all came back.
Bring back the missing one; all of them recover by themselves. If it is lost for good, see
$NONE_RUNS.
TEXT
}
