# shellcheck shell=bash disable=SC2154
# Finds a Go that can build the toolchain.

# use_go: sets $go and, where Go must fetch its own successor, GOTOOLCHAIN.
use_go() {
  need go golang-go
  go=$(command -v go)
  local have
  have=$(cd / && GOTOOLCHAIN=local "$go" env GOVERSION)
  have=${have#go}
  if version_at_least "$have" "$go_minimum"; then
    export GOTOOLCHAIN=local
  elif version_at_least "$have" 1.21; then
    say "Go $have is older than $go_minimum: it fetches $go_version"
    export GOTOOLCHAIN=go$go_version
  else
    # Before 1.21 Go can't replace itself, but its successors are modules like any other.
    local module
    module=golang.org/toolchain@v0.0.1-go$go_version.linux-$(go_architecture)
    step "fetching Go $go_version (Go $have is older than $go_minimum)" "$(mktemp)" fetch_go "$module"
    go=$("$go" env GOMODCACHE)/$module/bin/go
    unset GOROOT
    export GOTOOLCHAIN=local
  fi
}

# fetch_go: module files come without the right to be executed.
fetch_go() {
  local root
  root=$("$go" env GOMODCACHE)/$1
  (cd / && "$go" mod download "$1") &&
    find "$root/bin" "$root/pkg/tool" -type f -exec chmod 0555 {} +
}

go_architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) die "no Go for $(uname -m)" "Install Go $go_minimum or newer and run this again." ;;
  esac
}
