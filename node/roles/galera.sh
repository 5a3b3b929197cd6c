#!/bin/sh
# MariaDB as a node of a Galera cluster: found it, join it, restart without hurting it. Sourced by push.sh.
set -eu

GALERA=/etc/ha-cluster/galera # BOOTSTRAP, NODES, NODE, DATABASE, DATABASE_USER
GALERA_CONFIG=/etc/mysql/mariadb.conf.d/60-ha-cluster.cnf
GRASTATE=/var/lib/mysql/grastate.dat
JOINED=$STATE/galera-joined # this machine was once synced: its cluster exists and is never founded anew
GALERA_PORT=4567
STATUS_PORT=9200
SETTLE_SECONDS=20 # after a reboot it recovers and joins by itself, in 5 s as a rule
SYNC_SECONDS=180  # rsync carries a small database in 10 s, a large one takes its time

# sql: runs its standard input as root; never hangs on a node that does.
sql() {
    timeout -k 2 15 mariadb --no-defaults --socket=/run/mysqld/mysqld.sock --user=root \
        --connect-timeout=3 --batch --skip-column-names
}

wsrep() { echo "SHOW GLOBAL STATUS LIKE 'wsrep_$1'" | sql 2>/dev/null | cut -f 2; }

mariadb_state() { systemctl show -p ActiveState --value mariadb; }

synced() {
    [ "$(wsrep local_state)" = 4 ] && [ "$(wsrep ready)" = ON ] && [ "$(wsrep cluster_status)" = Primary ]
}

# started_and_synced OLD_PID: 2 when systemd has given up.
started_and_synced() {
    case $(mariadb_state) in
    failed | inactive) return 2 ;;
    esac
    pid=$(systemctl show -p MainPID --value mariadb)
    [ "$pid" != 0 ] && [ "$pid" != "$1" ] && synced
}

peers() {
    self=$(setting $GALERA NODE)
    for node in $(setting $GALERA NODES); do [ "$node" = "$self" ] || echo "$node"; done
}

# galera_refuses_change CHANGES: refuses, before anything is touched, what a running cluster would suffer from.
galera_refuses_change() {
    wait_for $SETTLE_SECONDS mariadb_settled || fail \
        "MariaDB has been '$(mariadb_state)' on this machine for $SETTLE_SECONDS s and more.
$(way_out)"
    [ "$(mariadb_state)" = active ] || return 0
    ask_membership
    grep -q " $GALERA_CONFIG\$" "$1" && in_cluster || return 0
    for peer in $(peers); do
        why=$("$HERE/ask.sh" http "$peer" $STATUS_PORT / 3 2>&1) || fail \
            "a change of $GALERA_CONFIG restarts MariaDB here, and $peer is not synced: ${why:-no answer on port $STATUS_PORT}.
Heal $peer first (systemctl status mariadb there), then push again."
    done
}

# A MariaDB that the image or the package's installation left running belongs to no cluster, and says so. Ask first
# whether it answers at all: a busy one may be the last that has the data.
in_cluster() { [ -n "$(wsrep cluster_state_uuid)" ] && [ "$(wsrep cluster_size)" != 0 ]; }

answers_sql() { echo 'SELECT 1' | sql >/dev/null 2>&1; }

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
        # Not active, or a start of this very push that hangs and is being taken back.
        stop_mariadb
        found_or_join
        ;;
    esac
    start_at_boot mariadb
    : >"$JOINED"
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
    if may_found; then
        # Comes back when MariaDB is up.
        timeout $SYNC_SECONDS galera_new_cluster || fail "MariaDB does not start:
$(last_words mariadb)"
        wait_for_sync 0
        say "mariadb: started the cluster ($(since "$started") s)"
    else
        systemctl start --no-block mariadb
        wait_for_sync 0
        say "mariadb: joined and synced after $(since "$started") s, $(wsrep cluster_size) nodes"
    fi
}

wait_for_sync() {
    answer=0
    wait_for $SYNC_SECONDS started_and_synced "$1" || answer=$?
    case $answer in
    1) fail "MariaDB is not synced after $SYNC_SECONDS s (wsrep_local_state: $(wsrep local_state_comment)).
$(way_out)
$(last_words mariadb)" ;;
    2) fail "MariaDB does not start:
$(last_words mariadb)" ;;
    esac
}

# may_found: whether this node starts the cluster: the first time the one whose file says so, later the one that
# was the last to leave (Galera marks it). A second cluster would split the data, so silence is no proof that there is
# none: every peer must say that nobody listens.
may_found() {
    if has_history; then
        grep -q '^safe_to_bootstrap: *1' $GRASTATE || return 1
    else
        [ "$(setting $GALERA BOOTSTRAP)" = yes ] && [ ! -e "$JOINED" ] || return 1
    fi
    for peer in $(peers); do
        wait_for 60 peer_answers "$peer" || fail \
            "cannot tell whether a cluster exists: $peer does not answer (port $GALERA_PORT: neither open nor closed).
Start that machine and let the database servers reach each other on port $GALERA_PORT, then push again."
        [ "$("$HERE/ask.sh" tcp "$peer" $GALERA_PORT 2)" = closed ] || return 1
    done
}

peer_answers() { [ "$("$HERE/ask.sh" tcp "$1" $GALERA_PORT 2)" != silent ]; }

has_history() { grep -qs '^uuid: *[0-9a-f-]*[1-9a-f]' $GRASTATE; }

way_out() {
    cat <<'TEXT'
If all database servers were lost at once and not all came back, those that did wait for the rest for ever.
Bring back the missing one; all three recover by themselves. If it is lost for good:
  1. on every database server:  systemctl kill -s KILL mariadb; systemctl stop mariadb; systemctl reset-failed mariadb
  2. on every one:  galera_recovery   (prints --wsrep_start_position=UUID:SEQNO; the highest SEQNO has the newest data)
  3. on every one:  rm -f /var/lib/mysql/gvwstate.dat
  4. on the newest: set "safe_to_bootstrap: 1" in /var/lib/mysql/grastate.dat, then galera_new_cluster
  5. on the others: systemctl start mariadb
TEXT
}
