#!/bin/bash
# Tests the plugins of this folder; installs what it lacks (Go, OpenSSH's server). Needs `npm ci` in the checkout.
#
# Usage: toolchain/test.sh [flags of `go test`]      with -json: one event a line, for counting
#        COMMAND_PLUGIN=/path/to/pulumi-resource-command toolchain/test.sh      the same tests against the original
# shellcheck disable=SC1090,SC1091,SC2154
set -euo pipefail
toolchain=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in versions lib/common lib/go; do
  . "$toolchain/$part.sh"
done

# need_sshd: the tests start servers of their own; the package must not start one for the whole machine, now or at boot.
need_sshd() {
  [ ! -x /usr/sbin/sshd ] || return 0
  local policy=/usr/sbin/policy-rc.d mine=
  if [ "$(id -u)" -eq 0 ] && (set -o noclobber && printf '#!/bin/sh\nexit 101\n' >$policy) 2>/dev/null; then
    mine=yes # an existing policy is somebody else's and stays
    chmod 0755 $policy
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  need /usr/sbin/sshd openssh-server
  if [ -n "$mine" ]; then
    rm -f $policy
    trap - EXIT
  fi
  if command -v systemctl >/dev/null; then
    systemctl -q disable ssh.service ssh.socket 2>/dev/null || true
  fi
}

need_sshd
use_go
failed=0
for module in command openstack; do
  # Not cached: Go does not see which program, or which npm package, is tested.
  (cd "$toolchain/$module" && GOWORK=off CGO_ENABLED=0 "$go" test -mod=readonly -count=1 "$@" ./...) || failed=1
done
exit $failed
