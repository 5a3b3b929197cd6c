#!/usr/bin/env bash
# npm run env: what a shell needs for `pulumi` on stack dev, whose cloud is the lab; for eval "$(npm run --silent env)".
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

"$root/toolchain/env.sh"
"$root/lab/lab.sh" env dev
echo "export PULUMI_BACKEND_URL=file://$(dirname "${HA_CLUSTER_LAB_STATE:-/var/lib/ha-cluster/lab}")/dev-stack"
echo "export PULUMI_CONFIG_PASSPHRASE=lab"
