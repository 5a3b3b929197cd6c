#!/bin/bash
# Makes Pulumi available with the plugins that the program needs; see README.md. Run it as often as you like.
#
# Usage: toolchain/install.sh           afterwards: eval "$(toolchain/env.sh)"
# shellcheck disable=SC1090,SC1091,SC2154
set -euo pipefail
toolchain=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in versions lib/common lib/places lib/go lib/build lib/download; do
  . "$toolchain/$part.sh"
done

# build_plugin NAME VERSION: leaves the plugin in $work.
build_plugin() {
  [ -n "${go:-}" ] || use_go
  build "$1" "$work/pulumi-resource-$1" "the $1 plugin $2"
}

# provide_plugin PULUMI NAME VERSION DOWNLOAD(yes|no): into the PULUMI_HOME of the environment.
provide_plugin() {
  local pulumi=$1 name=$2 version=$3
  if [ "$4" = yes ] && attempt "downloading the $name plugin $version" "$work/$name-download.log" download_plugin "$pulumi" "$name" "$version"; then
    return
  fi
  build_plugin "$name" "$version"
  "$pulumi" plugin install resource "$name" "$version" --reinstall --file "$work/pulumi-resource-$name" >"$work/$name-install.log" 2>&1 ||
    die "Pulumi does not take the $name plugin" "See $work/$name-install.log."
  [ "$name" != command ] || say "the command plugin is our replacement of the original (see toolchain/README.md)"
}

each_plugin() {
  local plugin
  for plugin in $plugins; do
    "$@" "${plugin%:*}" "${plugin#*:}"
  done
}

# The pulumi on PATH keeps its own home and fetches its own plugins; what it can't fetch is built for it.
complete_users_pulumi() {
  local pulumi=$1 home=${PULUMI_HOME:-$HOME/.pulumi} version
  version=$("$pulumi" version) || die "$pulumi does not run" "Mend it, or take it off PATH: then this script gets its own."
  version_at_least "${version#v}" 3.0.0 || die "$pulumi is $version, too old" "Update it, or take it off PATH."
  [ -x "$(dirname "$(readlink -f "$pulumi")")/pulumi-language-nodejs" ] || command -v pulumi-language-nodejs >/dev/null ||
    die "pulumi-language-nodejs is missing beside $pulumi" "Install Pulumi whole, or take it off PATH."
  missing() { plugin_present "$home" "$@" || provide_plugin "$pulumi" "$@" yes; }
  each_plugin missing
  say "using $pulumi ($version)"
}

own_engine() {
  [ -x "$work/bin/pulumi" ] && [ -x "$work/bin/pulumi-language-nodejs" ] && return
  need curl curl
  if attempt "downloading Pulumi $pulumi_version" "$work/download.log" download_engine "$work/bin"; then
    touch "$work/downloaded"
    return
  fi
  say "building Pulumi and its plugins from source: once, some 5 to 9 minutes on 2 cores"
  rm -f "$work/downloaded"
  mkdir -p "$work/bin"
  use_go
  # Downloads for the later builds, while the first one keeps the processors busy. What fails here fails there, and is told.
  local part
  for part in openstack command nodejs-host; do
    fetch_modules "$part" >"$work/$part-modules.log" 2>&1 9>&- &
    fetching+=($!)
  done
  build engine "$work/bin/pulumi" "the Pulumi engine $pulumi_version"
  wait
  fetching=()
  build nodejs-host "$work/bin/pulumi-language-nodejs" "the Node.js language host $nodejs_host_version"
}

own_toolchain() {
  local final=$1 shared
  mkdir -p "$work"
  shared=$(cache_folder)/pulumi
  own_engine
  export PULUMI_HOME=$work/home PULUMI_SKIP_UPDATE_CHECK=true
  mkdir -p "$PULUMI_HOME" "$shared/workspaces"
  chmod 0700 "$shared"
  # Which stack is selected must outlive a new toolchain.
  ln -sfn ../../pulumi/workspaces "$PULUMI_HOME/workspaces"
  local download=no
  [ ! -e "$work/downloaded" ] || download=yes
  missing() { [ -x "$PULUMI_HOME/plugins/resource-$1-v$2/pulumi-resource-$1" ] || provide_plugin "$work/bin/pulumi" "$@" "$download"; }
  each_plugin missing
  rm -rf "$work"/pulumi-resource-* "$work"/*.log "$work/download"
  mv -T "$work" "$final"
}

interrupted() {
  trap - INT TERM
  say "interrupted; run toolchain/install.sh again to go on from here"
  exit 130
}

main() {
  local pulumi final start=$SECONDS
  final=$(own_folder)
  pulumi=$(users_pulumi)
  if [ -z "$pulumi" ] && [ -x "$final/bin/pulumi" ]; then
    say "Pulumi is ready in $final"
    return
  fi
  mkdir -p "$(cache_folder)"
  need flock util-linux
  exec 9>"$(cache_folder)/toolchain.lock"
  flock -n 9 || { say "another run is busy; waiting for it …"; flock 9; }
  work=$final.partial
  fetching=()
  trap interrupted INT TERM
  trap '[ ${#fetching[@]} -eq 0 ] || kill "${fetching[@]}" 2>/dev/null || true' EXIT
  if [ -n "$pulumi" ]; then
    mkdir -p "$work"
    complete_users_pulumi "$pulumi"
    rm -rf "$work"
  elif [ ! -x "$final/bin/pulumi" ]; then # the other run may have made it
    own_toolchain "$final"
    say "Pulumi is ready in $final ($((SECONDS - start)) s)"
  fi
}

main
