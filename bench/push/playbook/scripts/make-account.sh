#!/bin/sh
# shellcheck disable=SC1091,SC2153 # files of the machine
set -eu
. /etc/ha-cluster/galera
. /etc/ha-cluster/secrets/database
mariadb --no-defaults --socket=/run/mysqld/mysqld.sock --user=root <<SQL
CREATE DATABASE IF NOT EXISTS \`$DATABASE\` CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS '$DATABASE_USER'@'%' IDENTIFIED BY '$DATABASE_PASSWORD';
ALTER USER '$DATABASE_USER'@'%' IDENTIFIED BY '$DATABASE_PASSWORD';
GRANT ALL PRIVILEGES ON \`$DATABASE\`.* TO '$DATABASE_USER'@'%';
SQL
