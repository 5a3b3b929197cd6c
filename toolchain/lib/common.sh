# shellcheck shell=bash
# Talking to people, timing steps, and getting what a fresh machine lacks.

say() { printf 'toolchain: %s\n' "$*" >&2; }

die() {
  say "error: $1"
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# step "what is done" LOG command…: runs a command with its output in LOG, and says how long it took.
step() {
  local start=$SECONDS
  run_step "$@" && return
  say "$1: failed after $((SECONDS - start)) s; the end of $2:"
  tail -n 20 "$2" >&2
  return 1
}

# attempt: as step, for what may well not succeed: the reason is one line.
attempt() {
  run_step "$@" && return
  say "$1: not possible here: $(tail -n 1 "$2")"
  return 1
}

run_step() {
  local what=$1 log=$2 start=$SECONDS
  shift 2
  say "$what …"
  "$@" >"$log" 2>&1 || return
  say "$what: done in $((SECONDS - start)) s"
}

# need COMMAND PACKAGE: installs a Debian package if a command is missing.
need() {
  command -v "$1" >/dev/null && return
  command -v apt-get >/dev/null || die "$1 is missing, and there is no apt-get to install it with" "Install $1 and run this again."
  [ "$(id -u)" -eq 0 ] || die "$1 is missing" "Run as root: apt-get install $2"
  step "installing the package $2" "$(mktemp)" install_package "$2"
}

install_package() {
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$1"
}

# version_at_least HAVE WANTED
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }
