#!/usr/bin/env bash
# The embedded cloud by hand: `lab.sh help` lists the commands; README.md explains them.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

if [ "$(id -u)" != 0 ]; then
  echo "lab: the embedded cloud needs root (namespaces, mounts, cgroups). Run it as root." >&2
  exit 1
fi

# The system's Python first: a version manager's shim may be absent for the services.
python=/usr/bin/python3
if ! [ -x "$python" ]; then
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 >/dev/null
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "lab: $python is $("$python" -V); the embedded cloud needs Python 3.11 or newer (Debian 12 has it)." >&2
  exit 1
fi

export PYTHONPATH=$here PYTHONWARNINGS=ignore
exec "$python" -m cloudlab "$@"
