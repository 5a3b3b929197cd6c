#!/bin/sh
# What a database server does with changed files: network, MariaDB, status service, the application's account.
# Sourced by push.sh.
set -eu

DATABASE_SECRET=/etc/ha-cluster/secrets/database # DATABASE_PASSWORD=…
STATUS_SOCKET=/etc/systemd/system/galera-status.socket
BOOT_SERVICE=/etc/systemd/system/galera-boot.service

database_apply() {
    reload_units
    network_apply
    galera_apply
    status_apply
    boot_apply
    if owned "$GALERA_CONFIG" && changed "$GALERA" "$GALERA_CONFIG" $DATABASE_SECRET; then account_apply; fi
}

status_apply() {
    socket_apply galera-status.socket
    owned $STATUS_SOCKET || return 0
    wait_for 20 status_answers || fail "the status service on port $STATUS_PORT does not say that this node is synced: $status
$(last_words 'galera-status*')"
    say "galera-status: answers on port $STATUS_PORT"
}

# Runs at boots only; here MariaDB is already where it shall be.
boot_apply() {
    if owned $BOOT_SERVICE; then
        start_at_boot galera-boot.service
    else
        systemctl -q disable --now galera-boot.service 2>/dev/null || :
    fi
}

status_answers() { status=$("$HERE/ask.sh" http "$(setting "$GALERA" NODE)" "$STATUS_PORT" / 3 2>&1); }

# Runs on every node alike: the cluster replicates it, and each of them finds it done. The password goes from
# file to standard input, past every command line.
account_apply() {
    if [ ! -e "$DATABASE_SECRET" ]; then
        say "account: waits for the secrets bundle, which brings its password"
        return
    fi
    database=$(setting "$GALERA" DATABASE)
    user=$(setting "$GALERA" DATABASE_USER)
    password=$(setting "$DATABASE_SECRET" DATABASE_PASSWORD)
    if [ -z "$database" ] || [ -z "$user" ] || [ -z "$password" ]; then
        fail "want DATABASE and DATABASE_USER in $GALERA, and DATABASE_PASSWORD in $DATABASE_SECRET"
    fi
    account_sql | sql >"$INCOMING/sql-words" 2>&1 ||
        fail "cannot make the database's account: $(cat "$INCOMING/sql-words")"
    say "account: $user may use database $database"
}

# quoted TEXT: as a string literal.
quoted() { printf '%s' "$1" | sed "s/'/''/g; s/^/'/; s/\$/'/"; }

account_sql() {
    account="$(quoted "$user")@'%'"
    password=$(quoted "$password")
    cat <<SQL
SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES';
CREATE DATABASE IF NOT EXISTS \`$database\` CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS $account IDENTIFIED BY $password;
ALTER USER $account IDENTIFIED BY $password;
GRANT ALL PRIVILEGES ON \`$database\`.* TO $account;
SQL
}
