#!/bin/bash
# Prints the environment for Pulumi, for: eval "$(toolchain/env.sh)". With no toolchain, the eval fails with a message.
# shellcheck disable=SC1091,SC2016
set -euo pipefail
toolchain=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$toolchain/lib/places.sh"

if [ -z "$(users_pulumi)" ]; then
  own=$(own_folder)
  if [ ! -x "$own/bin/pulumi" ]; then
    echo "toolchain: no Pulumi yet: run toolchain/install.sh" >&2
    echo false
    exit 1
  fi
  printf 'export PATH=%q:"$PATH"\n' "$own/bin"
  printf 'export PULUMI_HOME=%q\n' "$own/home"
  # Logins must outlive a new toolchain.
  printf 'export PULUMI_CREDENTIALS_PATH=%q\n' "$(cache_folder)/pulumi"
fi
echo 'export PULUMI_SKIP_UPDATE_CHECK=true'
# Types are checked by the tests; doing it again in every run costs seconds.
echo 'export PULUMI_NODEJS_TRANSPILE_ONLY=true'
