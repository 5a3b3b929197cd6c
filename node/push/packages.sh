#!/bin/sh
# Installs what a role needs and the machine lacks, and the versions that the bundle names. Sourced by push.sh.
set -eu

VERSIONS=/etc/ha-cluster/packages # lines "NAME VERSION"; others stay as they are

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
    # shellcheck disable=SC2046 # one word per package
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' $(packages_of "$1") 2>/dev/null) || : # some are unknown
    packages_of "$1" | while read -r package; do
        printf '%s\n' "$installed" | grep -qxF "$package installed" || echo "$package"
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

# forbid_own_starts: the same for the daemons of the roles alone; all others restart when they are updated. nftables is no
# daemon: to restart it takes the relay's rules away.
forbid_own_starts() {
    [ ! -e $POLICY ] || return 0
    cat >$POLICY <<POLICY_END
#!/bin/sh
$POLICY_MARK
for word; do
    case \${word%.service} in keepalived | haproxy | mariadb | mysql | app | nftables) exit 101 ;; esac
done
exit 0
POLICY_END
    chmod 0755 $POLICY
}

# Also removes ours when a push was killed while it installed.
allow_starts() {
    if [ -f $POLICY ] && grep -qxF "$POLICY_MARK" $POLICY; then rm -f $POLICY; fi
}

APT_WORDS=$STATE/apt.log
LOCK_HELD='Could not get lock|locked by another process' # apt's words, and dpkg's
LOCK_SECONDS=240

# apt WORDS…
apt() { patiently apt-get -q -y -o Dpkg::Options::=--force-confold "$@"; }

# patiently COMMAND…: while cloud-init or unattended-upgrades hold a lock, for minutes at times. apt-get's own
# DPkg::Lock::Timeout does not help "apt-get update", nor "dpkg --configure".
patiently() {
    WAITING=
    wait_for $LOCK_SECONDS unless_locked "$@"
}

# unless_locked COMMAND…: 1 when somebody else holds a lock, 2 when the command fails for another reason. needrestart only lists.
unless_locked() {
    known=$(wc -l <"$APT_WORDS")
    # LC_ALL: the words are looked for in English.
    ! LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l "$@" >>"$APT_WORDS" 2>&1 </dev/null || return 0
    holder=$(tail -n "+$((known + 1))" "$APT_WORDS" | grep -m 1 -E "$LOCK_HELD") || return 2
    [ -n "$WAITING" ] || say "waiting up to $LOCK_SECONDS s for a lock: $holder"
    WAITING=yes
    sleep 1
    return 1
}

# with_versions FILE: of its input, package names, those that FILE gives a version as NAME=VERSION. Apt would take its newest.
with_versions() {
    while read -r package; do
        version=$(awk -v name="$package" '$1 == name { print $2 }' "$1" 2>/dev/null) || version=
        # The archive may have dropped it since; files that name another come only after these secrets.
        [ "$BUNDLE" = files ] || apt-cache madison "$package" | grep -qF " $version |" || version=
        echo "$package${version:+=$version}"
    done
}

# install_packages ROLE: 1 when apt fails; the words are apt's. A package that a power cut left half installed is missing too.
install_packages() {
    # Of a host that somebody else built, adopt.sh has asked for what is needed.
    ! adopted || return 0
    asked=$VERSIONS
    [ "$BUNDLE" != files ] || asked=$INCOMING/files$VERSIONS
    missing=$(missing_packages "$1")
    [ -n "$missing" ] || return 0
    started=$(clock)
    : >"$APT_WORDS"
    apt update || fail_with_apt "install $(echo "$missing" | paste -s -d ' ')"
    # shellcheck disable=SC2046 # one word per package
    set -- $(echo "$missing" | with_versions "$asked")
    without_starts install --allow-downgrades --no-install-recommends "$@" || fail_with_apt "install $*"
    say "installed $* ($(since "$started") s)"
}

# without_starts WORDS…: apt, while no package starts or restarts its daemon.
without_starts() {
    forbid_starts
    done=yes
    { make_whole && apt "$@"; } || done=no
    allow_starts
    [ $done = yes ]
}

# make_whole: what a power cut left half-way; 1 when somebody else holds the lock. A package that dpkg wants to be reinstalled
# (reinstreq) it doesn't configure, and apt gives up on that: unpacked anew it is like any other. What is still wrong then, apt says.
make_whole() {
    configured=0
    patiently dpkg --configure -a || configured=$?
    [ $configured -ne 1 ] || return 1
    dpkg-query -W -f='${db:Status-Eflag} ${binary:Package}\n' | sed -n 's/^reinstreq //p' >"$INCOMING/reinstall"
    [ -s "$INCOMING/reinstall" ] || return 0
    while read -r package; do
        again=$INCOMING/again
        rm -rf "$again"
        mkdir "$again"
        # The version that it had, which may be gone from the archive.
        if (cd "$again" && { apt download "$package=$(installed_version "$package")" || apt download "$package"; }); then
            patiently dpkg --force-confold --unpack "$again"/*.deb || :
        fi
    done <"$INCOMING/reinstall"
    patiently dpkg --configure -a || :
}

fail_with_apt() {
    tail -n 12 "$APT_WORDS" | sed 's/^/    /' >&2
    fail "cannot $1: mend apt on this machine (apt-get update; apt-get $1), then ${AGAIN:-push again}"
}

installed_version() { dpkg-query -W -f='${Version}' "$1"; }

# other_versions FILE: the lines "NAME VERSION" in it that are not what is installed.
other_versions() {
    [ ! -e "$1" ] || while read -r package version; do
        [ "$(installed_version "$package")" = "$version" ] || echo "$package $version"
    done <"$1"
}

# fetch_packages FILE: what the lines in it need comes to this machine before anything live is touched, and, as far as the
# archive still has it, what they replace.
fetch_packages() {
    other_versions "$1" >"$INCOMING/packages"
    [ -s "$INCOMING/packages" ] || return 0
    set --
    while read -r package version; do set -- "$@" "$package=$version"; done <"$INCOMING/packages"
    : >"$APT_WORDS"
    if ! { apt update && apt install --download-only --allow-downgrades --no-install-recommends "$@"; }; then
        fail_with_apt "install $*"
    fi
    mkdir -p "$OLD_PACKAGES"
    while read -r package _; do
        old=$package=$(installed_version "$package")
        (cd "$OLD_PACKAGES" && apt download "$old") ||
            say "the archive has $old no more: should the other version fail, there is no way back to it"
    done <"$INCOMING/packages"
}

# list_packages: what is not as this bundle says or, when a push is taken back, as it was before. Secrets say nothing of
# versions: what the last files bundle said may be older than a security fix, and gone from the archive.
list_packages() {
    : >"$INCOMING/versions"
    if [ "$BUNDLE" = files ] && [ -z "$WAY_BACK" ] && [ -e $VERSIONS ]; then cp $VERSIONS "$INCOMING/versions"; fi
    [ ! -e "$REPLACED" ] || while read -r package version; do
        grep -q "^$package " "$INCOMING/versions" || echo "$package $version" >>"$INCOMING/versions"
    done <"$REPLACED"
    other_versions "$INCOMING/versions" >"$INCOMING/packages"
}

packages_differ() { [ -s "$INCOMING/packages" ]; }

# package_changed NAME: by this step.
package_changed() { grep -q "^$1 " "$INCOMING/packages"; }

# change_packages: their daemons go on as they are, and are for the caller to restart.
change_packages() {
    while read -r package version; do change_package "$package" "$version"; done <"$INCOMING/packages"
}

change_package() {
    old=$(installed_version "$1")
    grep -qs "^$1 " "$REPLACED" || echo "$1 $old" >>"$REPLACED"
    kept=$(kept_package "$1" "$2")
    : >"$APT_WORDS"
    without_starts install --allow-downgrades --no-install-recommends "${kept:-$1=$2}" || fail_with_apt "install $1=$2"
    say "$1: $old replaced by $2"
}

# kept_package NAME VERSION: its file, if fetch_packages kept it.
kept_package() {
    find "$OLD_PACKAGES" -name "$1_*.deb" 2>/dev/null | while read -r file; do
        [ "$(dpkg-deb -f "$file" Version)" != "$2" ] || echo "$file"
    done
}
