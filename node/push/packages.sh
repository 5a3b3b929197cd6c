#!/bin/sh
# Installs what a role needs and the machine lacks. Sourced by push.sh.
set -eu

POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='# put here by ha-cluster while it installs packages'

# packages_of ROLE: one a line. rsync and socat carry Galera's state to a node that joins.
packages_of() {
    case $1 in
    load-balancer) printf '%s\n' keepalived haproxy nftables ;;
    database) printf '%s\n' mariadb-server galera-4 rsync socat nftables ;;
    app-server) printf '%s\n' gunicorn python3-flask python3-pymysql nftables ;;
    esac
}

missing_packages() {
    packages_of "$1" | while read -r package; do
        status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || status=
        [ "$status" = installed ] || echo "$package"
    done
}

# A daemon must not start with the package's own configuration: haproxy would serve an empty page,
# MariaDB would found a database of its own. Debian asks policy-rc.d; one that is already there is
# somebody else's decision and stays.
forbid_starts() {
    [ ! -e $POLICY ] || return 0
    printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >$POLICY
    chmod 0755 $POLICY
}

# Also removes ours when a push was killed while it installed.
allow_starts() {
    if [ -f $POLICY ] && grep -qxF "$POLICY_MARK" $POLICY; then rm -f $POLICY; fi
}

# apt WORDS…: cloud-init or unattended-upgrades may hold dpkg's lock on a fresh machine: wait for it.
apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=240 \
        -o Dpkg::Options::=--force-confold "$@" >>"$STATE/apt.log" 2>&1 </dev/null
}

# install_packages ROLE: 1 when apt fails; the words are apt's.
install_packages() {
    # shellcheck disable=SC2046 # one word per package
    set -- $(missing_packages "$1")
    [ $# -gt 0 ] || return 0
    started=$(clock)
    : >"$STATE/apt.log"
    forbid_starts
    installed=yes
    {
        dpkg --configure -a >>"$STATE/apt.log" 2>&1 </dev/null &&
            apt update && apt install --no-install-recommends "$@"
    } || installed=no
    allow_starts
    if [ $installed = no ]; then
        tail -n 12 "$STATE/apt.log" | sed 's/^/    /' >&2
        fail "cannot install $*: mend apt on this machine (apt-get update; apt-get install $*), then push again"
    fi
    say "installed $* ($(since "$started") s)"
}
