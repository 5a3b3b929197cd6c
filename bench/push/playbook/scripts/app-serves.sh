#!/bin/sh
# shellcheck disable=SC1091,SC2153 # files of the machine
set -eu
. /etc/ha-cluster/app.env
left=200
until curl --silent --fail --output /dev/null --max-time 3 "http://$LISTEN_ADDRESS:$LISTEN_PORT/healthz"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || exit 1
    sleep 0.1
done
