#!/usr/bin/env bash
# The lab's own tests: test.sh lint | unit | cloud [pytest options].
# lint, unit: seconds, no root needed once the environment is there. cloud: on a running lab, in project "test".
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
what=${1:-unit}
[ $# = 0 ] || shift
cd "$here"

export PYTHONPATH=$here PYTHONWARNINGS=ignore
bin=$(/usr/bin/python3 -m cloudlab.install tests)/bin

case $what in
  lint)
    "$bin/ruff" check .
    shellcheck lab.sh test.sh image/build.sh cloudlab/hypervisor/supervise.sh
    ;;
  unit) exec "$bin/python" -m pytest tests/unit "$@" ;;
  cloud) exec "$bin/python" -m pytest tests/cloud "$@" ;;
  *)
    echo "usage: test.sh lint | unit | cloud [pytest options]" >&2
    exit 2
    ;;
esac
