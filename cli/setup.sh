#!/usr/bin/env bash
# Brings this machine to where the demo and the tests can run; sourced or run. Everything side by side, each line with
# the part that says it.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

need_root() {
    [ "$(id -u)" = 0 ] && return
    echo "this needs root: it makes network namespaces and boots machines in them (npm run test:unit does not)" >&2
    exit 1
}

# labelled NAME COMMAND...: runs it with its name before every line.
labelled() {
    local name=$1
    shift
    "$@" 2>&1 | sed -u "s/^/[$name] /"
}

debian_packages() {
    local missing=() package
    for package in curl openssh-client openssl shellcheck; do
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    # One apt at a time: the lab installs packages too.
    apt-get -o DPkg::Lock::Timeout=300 update -qq
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

node_packages() {
    cd "$root"
    # npm writes this file last, so that an interrupted install is done again.
    [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-progress --loglevel=error
}

# everything: toolchain, cloud and packages; fails when one of them did.
everything() {
    local jobs=() job failed=0
    labelled packages debian_packages
    labelled npm node_packages &
    jobs+=($!)
    labelled toolchain "$root/toolchain/install.sh" &
    jobs+=($!)
    labelled lab "$root/lab/lab.sh" up &
    jobs+=($!)
    for job in "${jobs[@]}"; do wait "$job" || failed=1; done
    return "$failed"
}
