#!/bin/sh
# What a machine is like that ha-cluster has never seen: facts.sh INTERFACE…
#
# One fact per line, a key and its value. Reads only; what a fact needs and is not there leaves the fact out.
set -u

interfaces=$*

# fact KEY VALUE…: nothing when VALUE is empty.
fact() { [ -z "${2-}" ] || echo "$*"; }

# first_version COMMAND…: the first word like 1.2.3 of what it prints.
first_version() { "$@" 2>&1 | grep -o -m 1 -E '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1; }

if [ -r /etc/os-release ]; then
    # shellcheck source=/dev/null
    fact release "$(. /etc/os-release && echo "$ID-$VERSION_ID")"
fi
fact clock "$(date +%s.%N)"
for daemon in keepalived haproxy; do
    if command -v $daemon >/dev/null; then
        fact $daemon "$(first_version $daemon -v)"
        fact "$daemon-active" "$(systemctl is-active $daemon 2>/dev/null || :)"
    fi
done
for tool in systemctl ss ip perl openssl ifup; do
    command -v $tool >/dev/null || fact missing $tool
done
for place in / /etc /var /tmp; do
    # Inodes run out as well: POSIX df has no word for them, a file does.
    fact free $place "$(df -Pk $place | awk 'NR == 2 { print int($4 / 1024) }')"
    trial=$place/.ha-cluster-preflight.$$
    if { : >"$trial"; } 2>/dev/null; then rm -f "$trial"; else fact read-only $place; fi
done
for interface in $interfaces; do
    if [ -e "/sys/class/net/$interface" ] || ip link show dev "$interface" >/dev/null 2>&1; then
        ip -o addr show dev "$interface" | awk -v name="$interface" '{ print "address", name, $4 }'
        fact mtu "$interface" "$(ip -o link show dev "$interface" | grep -o -E 'mtu [0-9]+' | cut -d ' ' -f 2)"
    else
        fact no-interface "$interface"
    fi
done
# Without -H, which iproute2 4.3 (Ubuntu 16.04) does not have.
ss -ltnp 2>/dev/null | awk 'NR > 1 { print "listener", $4, match($0, /users:\(\("[^"]+/) ? substr($0, RSTART + 9, RLENGTH - 9) : "?" }'
grep -q -s -E '^[[:space:]]*source(-directory)?[[:space:]]+/etc/network/interfaces\.d' /etc/network/interfaces && fact sources-interfaces yes
fact nonlocal-bind "$(cat /proc/sys/net/ipv4/ip_nonlocal_bind)"
fact ipv6-disabled "$(cat /proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null || echo 1)"
# Whether it may restart them on all hosts in the same hour.
if [ "$(dpkg-query -W -f='${Status}' unattended-upgrades 2>/dev/null)" = 'install ok installed' ]; then
    for daemon in keepalived haproxy; do
        apt-config dump 2>/dev/null | grep -q "^Unattended-Upgrade::Package-Blacklist:: .*$daemon" || fact unattended $daemon
    done
fi
