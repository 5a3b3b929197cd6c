#!/usr/bin/env bash
# npm run bench: from a fresh machine to the figures.
set -euo pipefail
# shellcheck source=cli/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli/setup.sh"

need_root
everything >&2
cd "$root"
exec node --import tsx bench/main.ts "$@"
