#!/bin/sh
# What a machine lacks of updates, and whether it has to reboot for those that it has. Sourced by patch.sh.
set -eu

# shellcheck disable=SC2034 # for fail_with_apt
AGAIN='patch again'
PINS=$INCOMING/preferences # apt_preferences(5): versions that the stack file names are not left
OWN_DAEMONS='/(keepalived|haproxy|mariadb|app)\.service'

# fetch_lists: an archive that does not answer is an error, not an update less.
fetch_lists() { apt -o APT::Update::Error-Mode=any update; }

list_pins() {
    : >"$PINS"
    [ ! -e "$VERSIONS" ] || while read -r package _; do
        printf 'Package: %s\nPin: version %s\nPin-Priority: 1001\n\n' "$package" "$(installed_version "$package")"
    done <"$VERSIONS" >"$PINS"
    [ ! -e /etc/apt/preferences ] || cat /etc/apt/preferences >>"$PINS"
}

# apt_with_pins WORDS…: apt.
apt_with_pins() { apt -o "Dir::Etc::preferences=$PINS" "$@"; }

# update: while none of this role's daemons is started. New packages may come, as a kernel's security update is one; none goes.
update() {
    forbid_own_starts
    done=yes
    { make_whole && apt_with_pins upgrade --with-new-pkgs; } || done=no
    allow_starts
    [ $done = yes ] || fail_with_apt upgrade
}

look() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    APT_WORDS=$work/apt.log PINS=$work/preferences
    : >"$APT_WORDS"
    fetch_lists || fail_with_apt upgrade
    list_pins
    echo "boot $(cat /proc/sys/kernel/random/boot_id)"
    dpkg-query -W -f='${db:Status-Status} ${Package}\n' |
        awk '$1 !~ /^(installed|config-files|not-installed)$/ { print "half", $2, $1 }'
    LC_ALL=C apt-get -s -o "Dir::Etc::preferences=$PINS" upgrade --with-new-pkgs >"$work/simulated" 2>"$APT_WORDS" ||
        fail_with_apt upgrade
    # Inst NAME [OLD] (NEW ARCHIVE, … [ARCHITECTURE]); a new package has no [OLD].
    sed -n 's/^Inst //p' "$work/simulated" | awk '
        {
            old = "-"; at = 2
            if ($2 ~ /^\[/) { old = substr($2, 2, length($2) - 2); at = 3 }
            print "update", $1, old, substr($at, 2), ($0 ~ /-[Ss]ecurity/ ? "security" : "other")
        }'
    held "$work/simulated"
    stale | sed 's/^/stale /'
    reboot_reasons | sed 's/^/reboot /'
    echo end
}

# held SIMULATION: "held NAME INSTALLED CANDIDATE WHY" of what stays behind.
held() {
    [ ! -e "$VERSIONS" ] || while read -r package _; do
        say_held "$package" "loadBalancers.packages.$package"
    done <"$VERSIONS"
    apt-mark showhold >"${1%/*}/holds"
    awk '/ kept back:$/ { kept = 1; next } !/^  / { kept = 0 } kept { for (i = 1; i <= NF; i++) print $i }' "$1" |
        while read -r package; do
            why="apt keeps it back: apt-get install $package says why"
            ! grep -qxF "$package" "${1%/*}/holds" || why='apt-mark hold'
            say_held "$package" "$why"
        done
}

say_held() {
    installed=$(installed_version "$1")
    candidate=$(LC_ALL=C apt-cache policy "$1" | sed -n 's/^  Candidate: //p')
    ! dpkg --compare-versions "$candidate" gt "$installed" || echo "held $1 $installed $candidate $2"
}

# stale: "own|other PROGRAM FILE" for what runs on a program or a library that was replaced since it started. Logins end by
# themselves.
stale() {
    grep -HsE '^[0-9a-f-]+ ..x. .* /(usr|lib|lib64|bin|sbin)/[^ ]+ \(deleted\)$' /proc/[0-9]*/maps |
        sed 's|^/proc/\([0-9]*\)/maps:.* \(/[^ ]*\) (deleted)$|\1 \2|' | sort -u | while read -r pid file; do
        group=$(cat "/proc/$pid/cgroup" 2>/dev/null) || continue
        case $group in
        *user.slice*) continue ;;
        */ssh.service*) [ "$pid" = "$(unit_property ssh MainPID)" ] || continue ;;
        esac
        whose=other
        ! printf '%s\n' "$group" | grep -qE "$OWN_DAEMONS" || whose=own
        echo "$whose $(tr ' ' _ <"/proc/$pid/comm" 2>/dev/null || echo gone) ${file##*/}"
    done | sort -u
}

# reboot_reasons: one a line. The role's own daemons restart anyway.
reboot_reasons() {
    [ ! -e /run/reboot-required ] ||
        echo "asked for by $(sort -u /run/reboot-required.pkgs 2>/dev/null | paste -s -d ' ' | grep . || echo '/run/reboot-required')"
    kernel_reason
    others=$(stale | sed -n 's/^other \([^ ]*\) .*/\1/p' | sort -u | paste -s -d ' ')
    [ -z "$others" ] || echo "run on files that were replaced: $others"
}

# A container has its host's.
kernel_reason() {
    ! systemd-detect-virt -q --container || return 0
    running=$(uname -r)
    newest=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' 'linux-image-[0-9]*' 2>/dev/null |
        sed -n 's/^linux-image-\(.*\) installed$/\1/p' | while read -r release; do
        [ "$(flavour "$release")" != "$(flavour "$running")" ] || echo "$release"
    done | sort -V | tail -n 1)
    [ -n "$newest" ] || return 0
    if [ "$newest" != "$running" ]; then
        echo "kernel $running runs, $newest is installed"
        return
    fi
    version=$(installed_version "linux-image-$running")
    case "$(uname -v) " in
    *" $version "*) ;;
    *) echo "kernel $running runs in an older build than $version" ;;
    esac
}

# flavour RELEASE: cloud-amd64 of 6.1.0-21-cloud-amd64.
flavour() { echo "${1#*-*-}"; }
