#!/bin/sh
# adopt.sh <facts: prepares a load balancer that somebody else built for the first push, and changes nothing of it.
#
# Refuses what does not suit; then keeps, for good, every file that pushes will replace, and the state of both daemons.
# Runs again whenever the facts change, and keeps what has come to them. leave.sh is the way back.
set -eu
umask 077

HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"
. "$HERE/store.sh"
. "$HERE/originals.sh"

READS_INTERFACES_D='^[[:space:]]*source(-directory)?[[:space:]]+(/etc/network/)?interfaces\.d(/\*)?[[:space:]]*$'

check_release() {
    found=$(setting /etc/os-release ID)-$(setting /etc/os-release VERSION_ID)
    stated=$(setting "$1" RELEASE)
    [ "$found" = "$stated" ] || fail "this host runs $found, but its \`release\` in the stack file is $stated:
write \`release: $found\` under machines.loadBalancers"
}

check_daemons() {
    for daemon in keepalived haproxy; do
        command -v "$daemon" >/dev/null || fail "this host has no $daemon: install it, or take this host out of the stack file"
    done
}

# check_interfaces FACTS: whether what we put into interfaces.d is read at boot.
check_interfaces() {
    grep -qx 'OURS=/etc/network/interfaces.d/.*' "$1" || return 0
    if command -v ifup >/dev/null && grep -Eqs "$READS_INTERFACES_D" /etc/network/interfaces; then return 0; fi
    fail "this host's /etc/network/interfaces does not read /etc/network/interfaces.d, where its IPv6 address would go.
Add the line \`source /etc/network/interfaces.d/*\` to it. If the network is configured otherwise, give the host its
IPv6 address there, and write \`configureIpv6: false\` under machines"
}

mkdir -p "$STATE"
chmod 0700 "$STATE"
exec 9>"$STATE/lock"
flock -w 120 9 || fail "a push has been running on this host for two minutes: wait for it, then try again"

mkdir -p "$ORIGINAL/root"
cat >"$ORIGINAL/facts.new"
check_release "$ORIGINAL/facts.new"
check_daemons
check_interfaces "$ORIGINAL/facts.new"
if ! adopted; then keep_state_of_host; fi
touch "$ORIGINAL/kept" "$ORIGINAL/absent" "$ORIGINAL/directories"
before=$(wc -l <"$ORIGINAL/kept")
sed -n 's/^OURS=//p' "$ORIGINAL/facts.new" >"$ORIGINAL/paths"
while read -r path; do keep_original "$path"; done <"$ORIGINAL/paths"
mv "$ORIGINAL/facts.new" "$ORIGINAL/facts"
sync "$ORIGINAL"/*
: >"$ORIGINAL/complete"
say "adoption: $(($(wc -l <"$ORIGINAL/kept") - before)) paths are kept as they are, for the way back ($ORIGINAL)"
