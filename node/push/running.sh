#!/bin/sh
# Whether the machine runs on the files that are on its disk: they may be as pushed while a daemon is stopped, a rule is
# gone or an address was added by hand. And what brings it there. Sourced by push.sh and patch.sh.
set -eu

# list_unapplied: prints the paths that apply has to take for changed, so that what they say is in force again.
# Only what is ours already: what comes for the first time is applied anyway.
list_unapplied() {
    network_unapplied
    units_unapplied
    case $ROLE in
    load-balancer) load_balancer_unapplied ;;
    database) database_unapplied ;;
    app-server) app_server_unapplied ;;
    esac
}

network_unapplied() {
    ! owned "$ADDRESSES" || addresses_set || echo "$ADDRESSES"
    ! owned "$SYSCTL" || sysctls_set || echo "$SYSCTL"
    ! owned "$FIREWALL" || firewall_loaded || echo "$FIREWALL"
}

# A file that is missing differs, and is no matter of this part.
addresses_set() {
    [ -e "$ADDRESSES" ] || return 0
    while read -r interface address gateway; do
        ip -o addr show dev "$interface" 2>/dev/null | grep -qF " $address " || return 1
        if [ "$gateway" != - ]; then
            case $gateway in *:*) family=-6 ;; *) family=-4 ;; esac
            ip $family route show default dev "$interface" | grep -qF "via $gateway " || return 1
        fi
    done <"$ADDRESSES"
}

sysctls_set() {
    [ -z "$(nonlocal_binds)" ] || return 1
    [ -e "$SYSCTL" ] || return 0
    while read -r name equals value; do
        [ "$equals" != = ] || [ "$(sysctl -n "$name")" = "$value" ] || return 1
    done <"$SYSCTL"
}

# nonlocal_binds: of ip_nonlocal_bind what is set though no file asks for it: haproxy binds "transparent", and with it
# everything else would bind what is elsewhere as well.
nonlocal_binds() {
    # The haproxy that somebody else's host returns to may need it.
    if [ "$ROLE" != load-balancer ] || adopted; then return 0; fi
    for name in net.ipv4.ip_nonlocal_bind net.ipv6.ip_nonlocal_bind; do
        [ "$(sysctl -n $name 2>/dev/null)" = 1 ] || continue
        cat /etc/sysctl.conf /etc/sysctl.d/* 2>/dev/null | grep -q "^ *$name *= *1" || echo $name
    done
}

forbid_nonlocal_bind() {
    nonlocal_binds | while read -r name; do
        sysctl -q -w "$name=0"
        say "kernel settings: $name is 0 again"
    done
}

# The loaded tables are what the file makes of an empty machine, a network namespace.
firewall_loaded() {
    systemctl -q is-enabled nftables || return 1
    if [ ! -e "$FIREWALL" ] || ! unshare -n true 2>/dev/null; then return 0; fi
    unshare -n sh -c "nft -f $FIREWALL && nft -s list ruleset" >"$INCOMING/firewall-wanted" 2>/dev/null || return 0
    tables_in "$FIREWALL" | sort -u | while read -r family table; do
        nft -s list table "$family" "$table" 2>/dev/null || :
    done | cmp -s "$INCOMING/firewall-wanted"
}

# Unit files that systemd has not read. Of a template (@) it only knows the instances that run.
units_unapplied() {
    [ -e "$STATE/owned/files" ] || return 0
    # One question for all of them, as a rule.
    units=$(sed -n -e '/@/d' -e 's|^/etc/systemd/system/\([^/]*\)\.d/.*|\1|p; t' -e 's|^/etc/systemd/system/||p' "$STATE/owned/files")
    # shellcheck disable=SC2086 # one word per unit
    case $(systemctl show -p NeedDaemonReload $units) in *=yes*) ;; *) return 0 ;; esac
    while read -r path; do
        case $path in
        *@*) continue ;;
        /etc/systemd/system/*.d/*) unit=${path%/*} && unit=${unit##*/} && unit=${unit%.d} ;;
        /etc/systemd/system/*) unit=${path##*/} ;;
        *) continue ;;
        esac
        [ "$(unit_property "$unit" NeedDaemonReload)" = no ] || echo "$path"
    done <"$STATE/owned/files"
}

apply() {
    case $ROLE in
    load-balancer)
        load_balancer_apply
        drop_stray_vips
        forbid_nonlocal_bind
        ;;
    database) database_apply ;;
    app-server) app_server_apply ;;
    esac
}

runs() { systemctl -q is-active "$1" && systemctl -q is-enabled "$1"; }

# start_at_boot UNIT: enables it. Only where it may not be: systemctl looks for SysV scripts and has systemd read all its
# units anew, which takes half a second.
start_at_boot() {
    if changed "/etc/systemd/system/$1*" || [ "$(systemctl is-enabled "$1" 2>/dev/null)" != enabled ]; then
        systemctl -q enable "$1"
    fi
}

# socket_apply UNIT: the service behind it starts afresh for every question; only the socket runs.
socket_apply() {
    if ! owned "/etc/systemd/system/$1"; then
        systemctl -q disable --now "$1" 2>/dev/null || :
        return 0
    fi
    start_at_boot "$1"
    verb=start
    if changed "/etc/systemd/system/$1"; then verb=restart; fi
    systemctl $verb "$1" || fail "$1 does not start:
$(last_words "$1")"
}

load_balancer_unapplied() {
    ! owned "$HAPROXY_CONFIG" || haproxy_runs || echo "$HAPROXY_CONFIG"
    ! owned "$KEEPALIVED_CONFIG" || keepalived_runs || echo "$KEEPALIVED_CONFIG"
    ! owned "$RELAY_UNIT" || relay_runs || echo "$RELAY_SETTINGS"
    ! stray_vips || echo "$VIPS"
}

# The unit is active as long as nobody stops it, whatever became of what it set up.
relay_runs() {
    runs ha-cluster-relay && [ -e /sys/class/net/ha-relay ] && nft list table inet ha_cluster_relay >/dev/null 2>&1
}

haproxy_runs() {
    runs haproxy && haproxy_listens && ! changed_since "$(started "$(haproxy_worker)")" /etc/haproxy/*.cfg /etc/haproxy/certs/*
}

# A reload leaves its processes as they are; systemd notes when it was.
keepalived_runs() {
    runs keepalived || return 1
    reloaded=$(unit_property keepalived StateChangeTimestampMonotonic)
    ! changed_since "${reloaded%??????}.${reloaded#"${reloaded%??????}"}" /etc/keepalived/* || return 1
    ! is_master || wait_for 3 holds_all_vips
}

is_master() { grep -qsx MASTER "$RUN"/group-*; }

holds_all_vips() {
    [ -e "$VIPS" ] || return 0
    while read -r interface address; do
        [ -n "$(ip -o addr show dev "$interface" to "${address%/*}" 2>/dev/null)" ] || return 1
    done <"$VIPS"
}

stray_vips() { ! is_master && holds_vip; }

no_stray_vips() { ! stray_vips; }

# keepalived leaves alone what it did not set. It may also be about to become master: only what stays is stray.
drop_stray_vips() {
    ! wait_for 3 no_stray_vips || return 0
    while read -r interface address; do
        if ip addr del "$address" dev "$interface" 2>/dev/null; then say "keepalived: took ${address%/*} from this backup"; fi
    done <"$VIPS"
}

database_unapplied() {
    owned "$GALERA_CONFIG" || return 0
    if ! runs mariadb || ! in_cluster; then
        echo "$GALERA"
    elif changed_since "$(started "$(unit_property mariadb MainPID)")" "$GALERA_CONFIG"; then
        echo "$GALERA_CONFIG"
    fi
    ! owned "$STATUS_SOCKET" || runs galera-status.socket || echo "$STATUS_SOCKET"
    ! owned "$BOOT_SERVICE" || systemctl -q is-enabled galera-boot.service || echo "$BOOT_SERVICE"
}

app_server_unapplied() {
    ! owned "$APP_UNIT" || app_runs || echo "$APP_UNIT"
    ! owned "$RELEASE_SOCKET" || runs app-release.socket || echo "$RELEASE_SOCKET"
}

app_runs() {
    runs app && app_answers &&
        ! changed_since "$(started "$(unit_property app MainPID)")" "$APP_UNIT" "$APP_ENV" "$APP_SECRET"
}

# started PID: seconds after boot (proc(5), field 22, behind a name that may hold anything).
started() { sed 's/^.*) //' "/proc/${1:-none}/stat" 2>/dev/null | awk '{ printf "%.2f\n", $20 / 100 }'; }

# changed_since SECONDS FILE…: whether one of the files became what it is after that second from boot on. The time of
# the inode's change, which renaming an older file into place renews too.
changed_since() {
    perl -MTime::HiRes=time,stat -e '
        my ($since, @files) = @ARGV;
        open(my $file, "<", "/proc/uptime");
        my ($uptime) = split / /, <$file>;
        my $read = time - $uptime + $since + 0.1; # ticks of the kernel
        exit !grep { my @facts = stat; @facts && $facts[10] > $read } @files;
    ' -- "$@"
}

# mend_running: for a push whose files are all there.
mend_running() {
    step list_unapplied_into "$INCOMING/paths"
    [ -z "$STEP_FAILED" ] && [ -s "$INCOMING/paths" ] || return 0
    say "$ROLE $BUNDLE: as pushed, but not in force on this machine:"
    while read -r path; do say "  $path"; done <"$INCOMING/paths"
    list_old_trees
    sed 's/^/unapplied /' "$INCOMING/paths" >"$INCOMING/changes"
    step judge_all
    [ -n "$STEP_FAILED" ] || step apply
    # shellcheck disable=SC2034 # for push.sh
    ENDED='in force again'
    if [ "$STEP_FAILED" = "$GOES_ON" ]; then
        complain "$ROLE $BUNDLE: the files are as pushed, but not in force yet:"
        say_reason
    elif [ -n "$STEP_FAILED" ]; then
        complain "$ROLE $BUNDLE: the files are as pushed, but this machine does not serve with them:"
        say_reason
    fi
}

list_unapplied_into() { list_unapplied | sort -u >"$1"; }
