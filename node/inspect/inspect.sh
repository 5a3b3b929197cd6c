#!/bin/sh
# What `npm run verify` sees of a machine: prints facts, judges nothing, changes nothing. It comes over SSH and is never
# installed, so that it tells the truth of a machine on which anything may be wrong.
#
# Before this text stand ROLE, ASK (the text of ask.sh) and WANTED: lines "SHA256 shown|secret PATH" of what was pushed.
# Every section starts with "@NAME"; "@end" tells a whole answer from one that was cut.
set -eu

STATE=/var/lib/ha-cluster
WORK=$(mktemp -d /run/ha-cluster-inspect.XXXXXX)
trap 'rm -rf "$WORK"' EXIT

ask() { sh -c "$ASK" ask.sh "$@" 2>/dev/null; }

# Seconds since 1970 and since boot, read together: what the kernel counts from boot is compared with the times of files.
clock() {
    perl -MTime::HiRes=time -e 'open my $file, "<", "/proc/uptime"; my ($uptime) = split / /, <$file>; print time, " $uptime\n"'
}

sections() {
    echo @clock
    clock
    echo @sync
    systemd-detect-virt --container || :
    timedatectl show -p NTPSynchronized --value 2>/dev/null || :
    echo @files
    files
    echo @scripts
    ls -A /opt/ha-cluster 2>/dev/null || :
    echo @owned
    cat $STATE/owned/* 2>/dev/null | while read -r path; do [ -e "$path" ] || echo "$path"; done
    echo @interrupted
    if [ -e $STATE/journal ]; then head -n 1 $STATE/journal; fi
    echo @marks
    for mark in /run/ha-cluster/*; do
        [ ! -f "$mark" ] || echo "${mark##*/} $(head -n 1 "$mark")"
    done
    echo @units
    # shellcheck disable=SC2046 # one word per unit
    systemctl show -p Id -p LoadState -p ActiveState -p UnitFileState -p NeedDaemonReload -p MainPID \
        -p StateChangeTimestampMonotonic -- $(units)
    echo
    echo @started
    # shellcheck disable=SC2046
    for pid in $(systemctl show -p MainPID -- $(units) | sed -n 's/^MainPID=//p') $(haproxy_worker); do
        [ "$pid" = 0 ] || started "$pid"
    done
    echo @failed
    systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1
    echo @disk
    df -Pk / /var/lib /var/log 2>/dev/null | awk 'NR > 1 { print $6, $2, $4 }' | sort -u
    echo @inodes
    df -Pi / /var/lib 2>/dev/null | awk 'NR > 1 && $2 > 0 { print $6, $2, $4 }' | sort -u
    echo @sysctls
    for name in net.ipv4.ip_forward net.ipv4.ip_nonlocal_bind net.ipv6.ip_nonlocal_bind; do
        place=/proc/sys/$(echo $name | tr . /)
        [ ! -e "$place" ] || echo "$name $(cat "$place")"
    done
    echo @addresses
    ip -o addr show | awk '{ print $2, $4 }'
    echo @routes
    { ip -4 route show default && ip -6 route show default; } | awk '$2 == "via" && $4 == "dev" { print $5, $3 }'
    echo @firewall
    firewall
    echo @packages
    for name in keepalived haproxy nftables mariadb-server galera-4 gunicorn; do
        # shellcheck disable=SC2016 # dpkg's own
        dpkg-query -W -f='${Package} ${Version} ${db:Status-Status}\n' $name 2>/dev/null || :
    done
    case $ROLE in
    load-balancer) load_balancer ;;
    database) database ;;
    esac
    echo @end
}

# "PATH MODE OWNER:GROUP CHANGED same|differs", or "PATH absent|other"; the text of one that differs follows, unless it is
# secret. All files at once: a process for each would cost seconds on a busy machine.
files() {
    printf '%s\n' "$WANTED" >"$WORK/wanted-files"
    cut -d ' ' -f 3 "$WORK/wanted-files" | xargs stat -c 'stat %n %a %U:%G %.9Z %F' >"$WORK/seen" 2>/dev/null || :
    awk '$6 == "regular" { print $2 }' "$WORK/seen" | xargs -r sha256sum 2>/dev/null | sed 's/^/sum /' >"$WORK/sums" || :
    awk '
        $1 == "stat" { facts[$2] = $3 " " $4 " " $5; regular[$2] = $6 == "regular"; next }
        $1 == "sum" { sum[$3] = $2; next }
        !($3 in facts) { print $3, "absent"; next }
        !regular[$3] { print $3, "other"; next }
        { print $3, facts[$3], (sum[$3] == $1 ? "same" : "differs"), $2 }
    ' "$WORK/seen" "$WORK/sums" "$WORK/wanted-files" | while read -r path facts; do
        echo "$path $facts"
        case $facts in *' differs shown') head -c 65536 "$path" | tr '\000' '?' | sed 's/^/|/' && echo ;; esac
    done
}

units() {
    case $ROLE in
    load-balancer) echo haproxy.service keepalived.service ha-cluster-relay.service nftables.service ;;
    database) echo mariadb.service galera-status.socket galera-boot.service nftables.service ;;
    app-server) echo app.service app-release.socket nftables.service ;;
    esac
}

# started PID: "PID SECONDS" since boot (proc(5), field 22, behind a name that may hold anything).
started() { sed -n 's/^.*) //p' "/proc/$1/stat" 2>/dev/null | awk -v pid="$1" '{ printf "%s %.2f\n", pid, $20 / 100 }'; }

haproxy_worker() {
    [ "$ROLE" != load-balancer ] || ask unix /run/haproxy/admin.sock 'show info' 2 | sed -n 's/^Pid: //p'
}

# "<" and ">" lines where the loaded rules differ from what the file makes of an empty machine.
firewall() {
    if [ -e /etc/ha-cluster/relay.nft ] && ! nft list table inet ha_cluster_relay >/dev/null 2>&1; then
        echo '< table inet ha_cluster_relay'
    fi
    sed -n 's/^table \([a-z0-9]*\) \([A-Za-z0-9_]*\) *{.*/\1 \2/p' /etc/nftables.conf 2>/dev/null | sort -u >"$WORK/tables"
    while read -r family table; do
        nft -s list table "$family" "$table" 2>/dev/null || :
    done <"$WORK/tables" >"$WORK/loaded"
    unshare -n sh -c 'nft -f /etc/nftables.conf && nft -s list ruleset' >"$WORK/wanted" 2>/dev/null || return 0
    diff "$WORK/wanted" "$WORK/loaded" | sed -n '/^[<>]/p' | tr '\t' ' '
}

load_balancer() {
    echo @worker
    haproxy_worker
    echo @listeners
    # iproute2 4.3 (Ubuntu 16.04) has no -H, and writes IPv6 addresses without brackets.
    ss -ltnp | awk 'NR > 1 {
        place = $4
        if (place ~ /:.*:/ && place !~ /^\[/) { sub(/:[^:]*$/, "]&", place); place = "[" place }
        name = $0; sub(/^.*users:\(\("/, "", name); sub(/".*/, "", name); print place, name
    }'
    echo @backends
    ask unix /run/haproxy/admin.sock 'show stat' 3 | awk -F, '!/^#/ && $2 != "FRONTEND" && NF > 18 { print $1, $2, $18 }' || :
    echo @strays
    # Whoever configures a VIP in the operating system makes it answer on two machines.
    cut -d ' ' -f 2 /etc/ha-cluster/vips 2>/dev/null | cut -d / -f 1 >"$WORK/vips" || :
    [ ! -s "$WORK/vips" ] || grep -rHnwF -f "$WORK/vips" /etc/network /etc/netplan /etc/systemd/network 2>/dev/null || :
    echo @sysctlfiles
    grep -Hsn 'ip_nonlocal_bind *= *1' /etc/sysctl.conf /etc/sysctl.d/* /run/sysctl.d/* /usr/lib/sysctl.d/* || :
}

database() {
    echo @galera
    echo "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_local_state_comment', 'wsrep_ready', 'wsrep_cluster_status',
        'wsrep_cluster_size', 'wsrep_cluster_state_uuid')" |
        timeout 3 mariadb --no-defaults --socket=/run/mysqld/mysqld.sock --user=root --connect-timeout=2 \
            --batch --skip-column-names 2>/dev/null | tr '\t' ' ' || :
}

sections
