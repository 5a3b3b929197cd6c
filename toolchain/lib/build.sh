# shellcheck shell=bash disable=SC2154
# Builds the parts of the toolchain from Go modules pinned in go.mod and go.sum. A build that was interrupted goes on where
# it stopped: Go caches every package.

readonly sdk=github.com/pulumi/pulumi/sdk/v3

# package_of PART: what is built in the folder of that name.
package_of() {
  case $1 in
    engine) echo github.com/pulumi/pulumi/pkg/v3/cmd/pulumi ;;
    nodejs-host) echo $sdk/nodejs/cmd/pulumi-language-nodejs ;;
    *) echo . ;;
  esac
}

# go_build PART FILE
go_build() {
  local flags="-s -w" version=
  case $1 in
    engine) version=$pulumi_version ;;
    nodejs-host) version=$nodejs_host_version ;;
  esac
  [ -z "$version" ] || flags+=" -X $sdk/go/common/version.Version=v$version"
  # Static, so that the result does not depend on a C compiler being there. GOGC: memory for speed.
  (cd "$toolchain/$1" && GOWORK=off CGO_ENABLED=0 GOGC=400 \
    "$go" build -mod=readonly -buildvcs=false -ldflags "$flags" -o "$2.new" "$(package_of "$1")") && mv "$2.new" "$2"
}

# fetch_modules PART: downloads what its build needs.
fetch_modules() {
  cd "$toolchain/$1" && GOWORK=off CGO_ENABLED=0 exec "$go" list -mod=readonly -deps "$(package_of "$1")"
}

# build PART FILE "what it is": builds a part unless it is there already.
build() {
  [ -x "$2" ] || step "building $3" "$work/$1.log" go_build "$1" "$2"
}
