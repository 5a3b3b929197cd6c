#!/usr/bin/env bash
# A small root file system with the daemons of another Debian than the lab's image has: build.sh SUITE prints its folder.
# Built when it is missing, and kept; run it as root.
# HA_CLUSTER_DEBIAN_MIRROR: where to take Debian from, when the official mirrors can't be reached.
set -euo pipefail

suite=$1
cache=${HA_CLUSTER_CACHE:-/var/cache/ha-cluster}
key=$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-12)
target=$cache/release-$suite-$key
building=$target.building

# remove FOLDER…: never into a file system that is still mounted in one.
remove() { rm -rf --one-file-system "$@"; }

# build: packages are unpacked, not set up: the daemons only ever read files here.
build() {
    # In a mount namespace of its own: what the build mounts is gone with it, also after kill -9.
    unshare --mount --propagation private mmdebstrap --quiet --mode=root --variant=extract \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/perl/*' \
        --dpkgopt='path-exclude=/usr/lib/*/gconv/*' \
        --include=base-passwd,dash,haproxy,ifupdown,keepalived \
        "$suite" "$building" ${HA_CLUSTER_DEBIAN_MIRROR:+"$HA_CLUSTER_DEBIAN_MIRROR"}
    # What setting up would have made, and the daemons look up.
    local each
    for each in passwd group; do cp "$building/usr/share/base-passwd/$each.master" "$building/etc/$each"; done
    echo 'haproxy:x:999:999::/var/lib/haproxy:/usr/sbin/nologin' >>"$building/etc/passwd"
    echo 'haproxy:x:999:' >>"$building/etc/group"
}

# forget_old: of this suite, keep what two checkouts used last.
forget_old() {
    local old
    find "$cache" -maxdepth 1 -type d -name "release-$suite-*" -printf '%T@ %p\n' | sort -rn | tail -n +3 | cut -d' ' -f2- |
        while read -r old; do grep -qF "$old" /proc/self/mountinfo || remove "$old"; done
}

mkdir -p "$cache"
exec 9>"$cache/release-$suite.lock"
flock 9 # another checkout may be building it
if [ ! -d "$target" ]; then
    remove "$building"
    trap 'remove "$building"' EXIT
    trap 'exit 130' INT TERM HUP
    build >&2
    mv -T "$building" "$target" # it gets its name when it is complete
fi
touch "$target"
forget_old
echo "$target"
