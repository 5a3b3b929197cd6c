#!/usr/bin/env bash
# npm test: everything that proves the project. With --unit, what needs neither root nor the embedded cloud.
set -euo pipefail
# shellcheck source=cli/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli/setup.sh"

if [ "${1:-}" = --unit ]; then
    node_packages
else
    need_root
    began=$SECONDS
    everything
    echo "toolchain, packages and cloud are ready after $((SECONDS - began)) s"
    # Opened only now, as the cloud's services would keep it; node's children don't inherit it.
    exec 9>/run/ha-cluster-test.lock
    flock --nonblock 9 || {
        echo "another npm test is running on this machine, and both would use project test: wait for its end" >&2
        exit 1
    }
fi
cd "$root"
exec node --import tsx test/run.ts "$@"
