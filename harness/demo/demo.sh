#!/usr/bin/env bash
# npm run demo: from a fresh machine to a dual-stack cluster that has survived the loss of a load balancer.
set -euo pipefail
# shellcheck source=cli/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../cli/setup.sh"

need_root
began=$SECONDS
everything
echo "toolchain, packages and cloud are ready after $((SECONDS - began)) s"
cd "$root"
exec node --import tsx harness/demo/demo.ts
